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
    """Put `key=value` or `parameters.name=value` in its place."""
    key, equals, text = change.partition("=")
    where = f"--set {change}"
    head, dot, name = key.strip().partition(".")
    if not equals or not head or (dot and not name):
        raise UsageError(f"{where}: expected KEY=VALUE.", remedy="--set seed=7")
    value = _value(text)
    if dot and head == _PARAMETERS:
        _put(values, head, {**values.get(head, {}), name: value}, where)
        return
    try:
        _put(values, key.strip(), value, where)
    except UnknownNameError as error:
        if error.name == key.strip():  # The key itself, not the value.
            error.remedy += f"; what your function needs is parameters.{error.name}"
        raise


def _value(text: str) -> Any:
    """A value as TOML writes it; what is none there is a string, so that words need no quotes."""
    try:
        read = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return read["value"] if set(read) == {"value"} else text
