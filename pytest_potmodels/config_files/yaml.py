"""YAML: a whole document with the line of each key, and seed-style settings under `models:`."""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from pytest_potmodels.config_files.table import ConfigFile, Keys
from pytest_potmodels.errors import UsageError

#: Where the list of stored models is kept, in the models folder.
REGISTRY_FILE = "model_registry.json"

_SWITCH = {"enabled": bool}
#: What seed-style YAML may hold under `models:`; a leaf is the type of its value.
_YAML_SCHEMA: Mapping[str, Any] = {
    "model_path": str,
    "download": {
        "cache_dir": str,
        "auto_download": bool,
        "sources": {
            "pytorch_hub": _SWITCH,
            "torchvision": _SWITCH,
            "huggingface": _SWITCH,
            "url": {**_SWITCH, "verify_ssl": bool, "timeout_seconds": float},
        },
        "registry_file": str,
    },
}
_DEPTH = 4
_KINDS = {str: "a text", bool: "true or false", float: "a number above 0", dict: "a mapping"}

#: Numbers of YAML 1.2: PyYAML takes 1e-3 for a word.
EXPONENT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$")
_FLOAT = "tag:yaml.org,2002:float"


class _Loader(yaml.SafeLoader):
    """Plain values only, with the numbers of YAML 1.2."""


class _Dumper(yaml.SafeDumper):
    """Writes what `_Loader` reads."""


for _each in (_Loader, _Dumper):
    _each.add_implicit_resolver(_FLOAT, EXPONENT, list("+-.0123456789"))


def read_document(path: Path) -> ConfigFile:
    """Read a YAML file that is one mapping of plain values, with the line of every key.

    Raises:
        UsageError: not valid, no mapping, a key that is there twice, or an alias; with file and
            line.
    """
    try:
        return parse_document(path.read_text(encoding="utf-8-sig"), path)
    except UnicodeDecodeError as error:
        raise _invalid(path, error) from error


def parse_document(text: str, path: Path) -> ConfigFile:
    """The same of a text that is to be, or was, the file at `path`; raises the same."""
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        # First: what is merged from anchors, over and over, would grow without an end.
        lines = dict(_all_keys(path, node, (), set())) if node is not None else {}
        data = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: a date that is none.
        raise _invalid(path, error) from error
    except RecursionError as error:
        raise UsageError(f"{path}: no valid YAML: it is nested too deeply.") from error
    if not isinstance(data, dict):
        raise UsageError(f"{path} holds {type(data).__name__}, expected keys with values.")
    return ConfigFile(path, data, lines)


def as_yaml(table: Mapping[str, Any]) -> str:
    """The text of a document; lists and mappings of plain values on one line each."""
    return yaml.dump(
        dict(table),
        Dumper=_Dumper,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=100,
    )


def _invalid(path: Path, error: Exception) -> UsageError:
    mark = getattr(error, "problem_mark", None)
    place = f"{path}:{mark.line + 1}" if mark else str(path)
    return UsageError(f"{place}: no valid YAML: {getattr(error, 'problem', None) or error}.")


def _all_keys(path: Path, node: Any, prefix: Keys, seen: set[int]) -> Iterator[tuple[Keys, int]]:
    """Every key with its line; what holds itself would have no end, so nothing is there twice."""
    if isinstance(node, yaml.ScalarNode):
        return
    if id(node) in seen:
        line = node.start_mark.line + 1
        raise UsageError(f"{path}:{line}: what an anchor names is used again.", remedy="repeat it")
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _all_keys(path, item, (*prefix, "-"), seen)
        return
    lines: dict[str, int] = {}
    for key, value in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name in lines:
            first = lines[name]
            said = f"{path}:{line}: {name!r} is there twice, first in line {first}."
            raise UsageError(said, remedy="keep one")
        lines[name] = line
        yield (*prefix, name), line
        yield from _all_keys(path, value, (*prefix, name), seen)


def read_yaml(path: Path) -> ConfigFile:
    """Read a YAML file with a `models:` mapping, in the keys of [tool.potmodels].

    Raises:
        UsageError: not valid, or a key or value that cannot be meant; with file and line.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows editors may put a mark in front.
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"{path} is no valid YAML: {error}.") from error
    if not isinstance(data, dict) or not isinstance(data.get("models"), dict):
        raise UsageError(f"{path} has no `models:` mapping.", remedy="see docs/configuration.md")
    config = ConfigFile(path, data["models"], _lines_under_models(path, node))
    _check_yaml(config, config.table, _YAML_SCHEMA, ())
    return _as_settings(config)


def _lines_under_models(path: Path, document: Any) -> dict[Keys, int]:
    """The line of each key.

    Raises:
        UsageError: a key that is there twice; YAML's readers take the last without a word.
    """
    lines: dict[Keys, int] = {}
    for key, value in document.value:
        if key.value == "models":
            for keys, line in _keys_of(value, _DEPTH):
                if keys in lines:
                    raise UsageError(
                        f"{path}:{line}: {'.'.join(keys)!r} is there twice, first in line "
                        f"{lines[keys]}.",
                        remedy="keep one",
                    )
                lines[keys] = line
    return lines


def _keys_of(node: Any, depth: int, prefix: Keys = ()) -> Iterator[tuple[Keys, int]]:
    """Keys with their lines, no deeper than the schema goes: an alias may hold itself."""
    if depth == 0 or not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        keys = (*prefix, str(key.value))
        yield keys, key.start_mark.line + 1
        yield from _keys_of(value, depth - 1, keys)


def _check_yaml(
    config: ConfigFile, table: Mapping[str, Any], schema: Mapping[str, Any], at: Keys
) -> None:
    config.reject_unknown(table, tuple(schema), *at)
    for key, value in table.items():
        wanted = schema[key]
        expected = dict if isinstance(wanted, Mapping) else wanted
        if not _fits(value, expected):
            place = config.where(*at, key)
            raise UsageError(f"{place}: {key!r} is {value!r}, expected {_KINDS[expected]}.")
        if isinstance(wanted, Mapping):
            _check_yaml(config, value, wanted, (*at, key))


def _fits(value: Any, expected: type) -> bool:
    if expected is float:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return is_number and math.isfinite(value) and value > 0
    # An empty text would make the folder of the file the folder of the models.
    return isinstance(value, expected) and value != ""


def _as_settings(config: ConfigFile) -> ConfigFile:
    """The YAML's meaning in the keys of [tool.potmodels]; its cache_dir is the models folder."""
    download = config.table.get("download", {})
    folder = download.get("cache_dir", config.table.get("model_path"))
    disabled = {
        source: config.where("download", "sources", source, "enabled")
        for source, flags in download.get("sources", {}).items()
        if flags.get("enabled") is False
    }
    table: dict[str, Any] = {"disabled_sources": disabled} if disabled else {}
    if folder is not None:
        # Whoever changes the working folder later still means this one.
        table["models_folder"] = str((config.path.parent / Path(folder).expanduser()).absolute())
    if download.get("auto_download") is False:
        table["closed_by"] = f"auto_download: false in {config.where('download', 'auto_download')}"
    table.update(_of_urls(config), **_of_registry(config, seed_style=folder is not None))
    return ConfigFile(config.path, table, config.lines)


def _of_urls(config: ConfigFile) -> dict[str, Any]:
    at = ("download", "sources", "url")
    said = config.table.get("download", {}).get("sources", {}).get("url", {})
    found: dict[str, Any] = {}
    if "verify_ssl" in said:
        found["verify_ssl"] = said["verify_ssl"]
    if "timeout_seconds" in said:
        found["url_timeout"] = float(said["timeout_seconds"])
    keys = {"verify_ssl": "verify_ssl", "url_timeout": "timeout_seconds"}
    places = {key: config.where(*at, keys[key]) for key in found}
    return {**found, "places": {**places, "registry_file": str(config.path)}}


def _of_registry(config: ConfigFile, *, seed_style: bool) -> dict[str, Any]:
    """A folder of the project's own holds the list of its models, unless it is named otherwise."""
    said = config.table.get("download", {}).get("registry_file")
    if said is None:
        return {"registry_file": Path(REGISTRY_FILE)} if seed_style else {}
    return {"registry_file": Path(said).expanduser()}
