"""An experiment's configuration in a file: its keys are the fields, and each has a line."""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pytest_potmodels.config_files.table import ConfigFile, Keys
from pytest_potmodels.config_files.toml import read_toml
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments.checks import check

_SUFFIXES = {".toml": "toml", ".yaml": "yaml", ".yml": "yaml", ".json": "json"}
_SPACE = re.compile(r"\s*")
_EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")


def read(path: Path, form: str = "") -> dict[str, Any]:
    """The values of a file, checked; `form` is "toml", "yaml" or "json", else the suffix says.

    Raises:
        UsageError: no such file, not valid, or a key or value that cannot be meant; with file
            and line.
    """
    if not path.is_file():
        raise UsageError(f"There is no configuration file {path}.", remedy="check --config")
    config = _READERS[form or _form_of(path)](path)
    check(config.table, lambda key: config.where(str(key)))
    if "experiment_name" not in config.table:
        raise UsageError(
            f"{path} has no `experiment_name`.", remedy=f'add: experiment_name = "{path.stem}"'
        )
    values = dict(config.table)
    if "output_dir" in values:
        values["output_dir"] = path.parent / Path(values["output_dir"]).expanduser()
    return values


def _form_of(path: Path) -> str:
    if path.suffix.lower() not in _SUFFIXES:
        raise UnknownNameError(
            "kind of file", path.name, (), remedy=f"one of: {', '.join(_SUFFIXES)}"
        )
    return _SUFFIXES[path.suffix.lower()]


def _toml(path: Path) -> ConfigFile:
    if path.name == "pyproject.toml":
        raise UsageError(f"{path} holds no experiment.", remedy="write it into a file of its own")
    found = read_toml(path)
    return found if found is not None else ConfigFile(path)


def _yaml(path: Path) -> ConfigFile:
    import yaml  # noqa: PLC0415 - only whoever writes YAML pays for it

    class Loader(yaml.SafeLoader):
        """With the numbers of YAML 1.2: PyYAML takes 1e-3 for a word."""

    Loader.add_implicit_resolver("tag:yaml.org,2002:float", _EXPONENT, list("+-.0123456789"))
    try:
        text = path.read_text(encoding="utf-8-sig")
        node: Any = yaml.compose(text, Loader=Loader)
        table = yaml.load(text, Loader=Loader)  # noqa: S506 - a SafeLoader
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise _invalid(path, "YAML", error) from error
    _check_table(path, table)
    pairs = [(str(key.value), key.start_mark.line + 1) for key, _ in node.value]
    return ConfigFile(path, table, _lines(path, pairs))


def _json(path: Path) -> ConfigFile:
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = json.loads(text)
        _check_table(path, table)
        return ConfigFile(path, table, _lines(path, _keys_of_object(text)))
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise _invalid(path, "JSON", error) from error


_READERS: Mapping[str, Callable[[Path], ConfigFile]] = {
    "toml": _toml,
    "yaml": _yaml,
    "json": _json,
}


def _keys_of_object(text: str) -> list[tuple[str, int]]:
    """The keys of the outermost object of a valid document, each with its line."""
    decoder, found = json.JSONDecoder(), []
    at = text.index("{") + 1
    while text[at := _after_space(text, at)] != "}":
        key, end = decoder.raw_decode(text, at)
        found.append((key, text.count("\n", 0, at) + 1))
        colon = _after_space(text, end)
        _, end = decoder.raw_decode(text, _after_space(text, colon + 1))
        at = _after_space(text, end)
        at += text[at] == ","
    return found


def _after_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _lines(path: Path, pairs: list[tuple[str, int]]) -> dict[Keys, int]:
    """Lines by key. PyYAML and json take the last of two equal keys without a word."""
    lines: dict[Keys, int] = {}
    for key, line in pairs:
        if (key,) in lines:
            raise UsageError(f"{path}:{line}: {key!r} is there twice.", remedy="keep one")
        lines[(key,)] = line
    return lines


def _check_table(path: Path, table: Any) -> None:
    if not isinstance(table, dict):
        raise UsageError(f"{path} holds {type(table).__name__}, expected keys with values.")


def _invalid(path: Path, form: str, error: Exception) -> UsageError:
    return UsageError(f"{path} is no valid {form}: {error}.")
