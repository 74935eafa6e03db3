"""Seed-style YAML: read only when it is named, strictly under `models:`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pytest_potmodels.config_files.table import ConfigFile, Keys
from pytest_potmodels.errors import UsageError

#: What seed-style YAML may hold under `models:`; a leaf is the type of its value.
_YAML_SCHEMA: Mapping[str, Any] = {
    "model_path": str,
    "download": {
        "cache_dir": str,
        "auto_download": bool,
        "sources": {"huggingface": {"enabled": bool}, "torchvision": {"enabled": bool}},
    },
}


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
    lines: dict[Keys, int] = {}
    _yaml_lines(node, (), lines)
    config = ConfigFile(path, data["models"], {keys[1:]: n for keys, n in lines.items()})
    _check_yaml(config, config.table, _YAML_SCHEMA, ())
    return _as_settings(config)


def _yaml_lines(node: Any, prefix: Keys, lines: dict[Keys, int]) -> None:
    if type(node).__name__ != "MappingNode":
        return
    for key, value in node.value:
        keys = (*prefix, str(key.value))
        lines[keys] = key.start_mark.line + 1
        _yaml_lines(value, keys, lines)


def _check_yaml(
    config: ConfigFile, table: Mapping[str, Any], schema: Mapping[str, Any], at: Keys
) -> None:
    config.reject_unknown(table, tuple(schema), *at)
    for key, value in table.items():
        wanted = schema[key]
        expected = dict if isinstance(wanted, Mapping) else wanted
        if not isinstance(value, expected):
            kind = "a mapping" if expected is dict else f"a {expected.__name__}"
            raise UsageError(f"{config.where(*at, key)}: {key!r} is {value!r}, expected {kind}.")
        if isinstance(wanted, Mapping):
            _check_yaml(config, value, wanted, (*at, key))


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
        table["models_folder"] = str(config.path.parent / Path(folder).expanduser())
    if download.get("auto_download") is False:
        table["closed_by"] = f"auto_download: false in {config.where('download', 'auto_download')}"
    return ConfigFile(config.path, table, config.lines)
