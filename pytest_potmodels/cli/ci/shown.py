"""Outputs as a person, another program, or a runner reads them."""

import json
from collections.abc import Mapping

from pytest_potmodels.cli.console import put


def words(values: Mapping[str, object]) -> dict[str, str]:
    """Each output as the text that a workflow compares: true and false, JSON for lists."""
    return {name: _word(value) for name, value in values.items()}


def put_outputs(values: Mapping[str, object], *, as_json: bool, quiet: bool) -> None:
    """Print outputs: a JSON object, or a line each."""
    if as_json:
        # A runner takes `##[` for a command anywhere in a line, and JSON can say it otherwise.
        put(json.dumps(values, indent=2).replace("##[", "##\\u005b"))
    elif not quiet:
        for name, value in words(values).items():
            put(f"{name}: {' '.join(value.split())}")


def _word(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
