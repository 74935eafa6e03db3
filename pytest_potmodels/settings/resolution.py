"""Command line > environment > [tool.potmodels] > default."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pytest_potmodels.config_files.table import ConfigFile
from pytest_potmodels.config_files.toml import read_toml
from pytest_potmodels.errors import UnknownNameError, UsageError, close_matches
from pytest_potmodels.settings import (
    DEFAULT_CACHE,
    ENDPOINT_VARIABLE,
    LOCK_FILE,
    OWN_FILE,
    find_config,
)
from pytest_potmodels.settings.environment import LUT_PATH, detect_ci, offline_variable
from pytest_potmodels.settings.options import ALL, Option
from pytest_potmodels.settings.values import DEFAULT_HUB, YAML_ONLY, Settings
from pytest_potmodels.settings.words import parse

_YAML = (".yaml", ".yml")
_CONFIG_KEYS = (*(o.key for o in ALL if o.key != "config"), "models", "presets")


def resolve(given: Mapping[str, Any], environ: Mapping[str, str], start: Path) -> Settings:
    """Work out the settings.

    Args:
        given: the command line's values by option key, and "offline" for `--pot-offline`.
        environ: the environment.
        start: the folder from which configuration is looked for, upwards.

    Raises:
        UsageError: a value, key or variable that cannot be meant; the message says where it is.
    """
    _reject_misspelt_variables(environ)
    config = _config(given.get("config") or environ.get("POT_CONFIG"), start)
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for option in ALL:
        found = _find(option, given, environ, config)
        if found is not None and option.key != "config":
            raw, origins[option.key] = found
            values[option.key] = parse(option, raw, origins[option.key], config)
    _apply_offline(values, origins, environ, config, offline=bool(given.get("offline")))
    ci = detect_ci(environ)
    values.setdefault("missing", "fail" if ci else "skip")
    if "cache_dir" not in values:  # Only then must there be a home.
        values["cache_dir"] = Path(DEFAULT_CACHE).expanduser()
    hub = environ.get(ENDPOINT_VARIABLE, "").rstrip("/") or DEFAULT_HUB
    if hub != DEFAULT_HUB:
        origins["hub_endpoint"] = ENDPOINT_VARIABLE
    root = config.path.parent if config else start
    values.update(_from_yaml(config, origins))
    _find_lock(values, origins, (root,) if config else (root, Path.cwd()))
    return Settings(**values, hub_endpoint=hub, ci=ci, root=root, config=config, origins=origins)


def resolve_here(given: Mapping[str, Any]) -> Settings:
    """The settings outside pytest: the CLI's and the Python API's."""
    return resolve(given, os.environ, Path.cwd())


def _config(named: str | None, start: Path) -> ConfigFile | None:
    """The configuration file that was named, or else the nearest one."""
    config = _named(Path(named)) if named else _nearest(start)
    if config is not None and config.path.suffix not in _YAML:
        config.reject_unknown(config.table, _CONFIG_KEYS)
    return config


def _named(path: Path) -> ConfigFile:
    if not path.is_file():
        raise UsageError(f"There is no configuration file {path}.", remedy="check --pot-config")
    if path.suffix in _YAML:
        from pytest_potmodels.config_files.yaml import read_yaml  # noqa: PLC0415  brings PyYAML

        return read_yaml(path)
    config = read_toml(path)
    if config is None:
        raise UsageError(
            f"{path} has no [tool.potmodels] table.", remedy=f"add one, or name a {OWN_FILE}"
        )
    return config


def _nearest(start: Path) -> ConfigFile | None:
    """The nearest file with a table of ours: a package below may depend on us and say no more."""
    path = find_config(start)
    while path is not None:
        config = read_toml(path)
        if config is not None:
            return config
        folder = path.parent
        at_the_top = folder == folder.parent or (folder / ".git").exists()
        path = None if at_the_top else find_config(folder.parent)
    return None


def _find(
    option: Option, given: Mapping[str, Any], environ: Mapping[str, str], config: ConfigFile | None
) -> tuple[Any, str] | None:
    """The value that wins and where it is from."""
    if given.get(option.key) not in (None, []):
        return given[option.key], option.flag
    if environ.get(option.env):
        return environ[option.env], option.env
    if config is not None and option.key in config.table:
        return config.table[option.key], config.where(option.key)
    return None


def _apply_offline(
    values: dict[str, Any], origins: dict[str, str], environ: Mapping[str, str],
    config: ConfigFile | None, *, offline: bool,
) -> None:  # fmt: skip
    """Say what closes the network: an option of ours, Hugging Face's variables, the YAML."""
    if offline:
        closed_by = "--pot-offline"
    elif values.get("network") == "block":
        values["closed_by"] = f"network=block ({origins['network']})"
        return
    elif said := offline_variable(environ):
        closed_by = said
    elif config is not None and "network" not in values:
        closed_by = config.table.get("closed_by", "")
    else:
        closed_by = ""
    if closed_by:
        values.update(network="block", closed_by=closed_by)
        origins["network"] = closed_by


def _find_lock(values: dict[str, Any], origins: dict[str, str], folders: Iterable[Path]) -> None:
    """Take the lock file of the project where none was named.

    In a project without any configuration pytest takes the value of `--pot-cache-dir DIR` for a
    folder of tests, and its root folder for one above both. So the current folder counts, too.
    """
    if "lock" not in values:
        there = (folder / LOCK_FILE for folder in folders)
        # A folder or a broken link is no lock, but where one is meant to be: reading it says so.
        found = next((path for path in there if os.path.lexists(path)), None)
        if found is not None:
            values["lock"], origins["lock"] = found, "found"
    elif values["lock"] is None:
        values["locked"] = False  # Beyond no lock there is everything.


def _from_yaml(config: ConfigFile | None, origins: dict[str, str]) -> dict[str, Any]:
    """What only seed-style YAML says: of URLs, and where the list of models is kept."""
    table = config.table if config is not None and config.path.suffix in _YAML else {}
    found = {key: table[key] for key in YAML_ONLY if key in table}
    origins.update({key: table["places"][key] for key in found if key in table["places"]})
    return found


def _reject_misspelt_variables(environ: Mapping[str, str]) -> None:
    """Others may own POT_ variables; one that is almost ours is a typing mistake."""
    ours = (*(option.env for option in ALL), LUT_PATH)
    known = {name.removeprefix("POT_"): name for name in ours}
    for name in environ:
        if name.startswith(("POT_", "CACHE_CLEANUP_")) and name not in known.values():
            matches = close_matches(name.removeprefix("POT_"), known, likeness=0.75)
            if matches:
                meant = [known[match] for match in matches]
                raise UnknownNameError("variable", name, meant, remedy=f"unset {name}")
