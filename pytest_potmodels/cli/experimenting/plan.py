"""The plan of `experiment run`: a file, and what the command line changes of it."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments import config_file
from pytest_potmodels.experiments.checks import check
from pytest_potmodels.experiments.configuration import ExperimentConfig

_PARAMETERS = "parameters"


def plan_of(
    file: str | None, changes: Sequence[str], given: Mapping[str, Any], *, default_name: str
) -> ExperimentConfig:
    """The plan: the file's values, then `--set`, then `given` (--name, --seed, --repeats).

    Raises:
        UsageError: a key or value that cannot be meant; it says in which of them.
    """
    values = config_file.read(Path(file)) if file else {}
    for change in changes:
        _set(values, change)
    for option, value in given.items():
        if value is not None:
            _put(values, "experiment_name" if option == "name" else option, value, f"--{option}")
    if "experiment_name" not in values:
        _put(values, "experiment_name", default_name, "the file's name, without --name")
    return ExperimentConfig(**values)


def _put(values: dict[str, Any], key: str, value: Any, where: str) -> None:
    check({key: value}, lambda _: where)
    values[key] = value


def _set(values: dict[str, Any], change: str) -> None:
    """Put `key=value`, `parameters.name=value` or `parameters.table.name=value` in its place."""
    written, equals, text = change.partition("=")
    where = f"--set {change}"
    head, *names = keys = [key.strip() for key in written.split(".")]
    if not equals or not all(keys):
        raise UsageError(f"{where}: expected KEY=VALUE.", remedy="--set seed=7")
    value = _value(text)
    if names and head == _PARAMETERS:
        _put(values, head, _with(values.get(head, {}), names, value, where), where)
        return
    key = ".".join(keys)
    try:
        _put(values, key, value, where)
    except UnknownNameError as error:
        if error.name == key:  # The key itself, not the value.
            error.remedy += f"; what your function needs is parameters.{error.name}"
        raise


def _with(table: Any, names: Sequence[str], value: Any, where: str) -> dict[str, Any]:
    """A copy of nested tables with one value in its place."""
    if not isinstance(table, Mapping):
        raise UsageError(f"{where}: {names[0]!r} would be in {table!r:.80}, which is no table.")
    first, *rest = names
    return {**table, first: _with(table.get(first, {}), rest, value, where) if rest else value}


def _value(text: str) -> Any:
    """A value as TOML writes it; what is none there is a string, so that words need no quotes."""
    try:
        read = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    return read["value"] if set(read) == {"value"} else text
