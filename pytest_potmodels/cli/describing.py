"""`config` and `catalog`: what is set, and which names there are."""

import shutil
import sys
import textwrap
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.catalog import lut
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.torchvision_weights import architectures
from pytest_potmodels.cli.console import is_terminal, put, put_json
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.cli.wording import as_typed_here
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.settings.options import ALL
from pytest_potmodels.settings.values import YAML_ONLY, Settings
from pytest_potmodels.transfer.disk import in_units
from pytest_potmodels.transfer.urls import shown


@dataclass(frozen=True)
class Setting:
    """A setting, its value as plain JSON, and where that is from."""

    name: str
    value: Any
    origin: str


@click.command(epilog="Example: potmodels config --json")
@json_option
@common_options
def show_config(invocation: Invocation, *, as_json: bool) -> None:
    """Show every setting and where its value is from.

    The command line goes before the environment, that before [tool.potmodels], that before the
    default.
    """
    put_settings(invocation.settings, as_json=as_json)


def put_settings(in_force: Settings, *, as_json: bool) -> None:
    """Write the settings to stdout."""
    settings = _settings(in_force)
    if as_json:
        put_json([vars(setting) for setting in settings])
        return
    rows = tuple((each.name, _in_words(each), each.origin) for each in settings)
    put_table(Table(("setting", "value", "from"), rows))


def _settings(settings: Settings) -> list[Setting]:
    names = [option.key for option in ALL if option.key != "config"]
    listed = [
        Setting(name, _plain(getattr(settings, name)), _origin(settings, name))
        for name in (*names, "hub_endpoint")
    ]
    config = settings.config
    folder = settings.models_folder
    return [
        *listed,
        *([Setting("models_folder", str(folder), str(config.path))] if folder and config else []),
        Setting("config", str(config.path) if config else None, "found" if config else "none"),
        *_of_yaml(settings),
        Setting("ci", settings.ci or None, settings.ci or "no CI service detected"),
    ]


def _of_yaml(settings: Settings) -> list[Setting]:
    """What only a config.yaml says, where it says it."""
    disabled = settings.disabled_sources
    return [
        *(Setting(key, _plain(getattr(settings, key)), settings.origins[key])
          for key in YAML_ONLY if key in settings.origins),
        *(Setting(f"sources.{source}", "disabled", at) for source, at in disabled.items()),
    ]  # fmt: skip


def _origin(settings: Settings, name: str) -> str:
    if name in settings.origins:
        return as_typed_here(settings.origins[name])
    return f"default in CI ({settings.ci})" if name == "missing" and settings.ci else "default"


def _plain(value: Any) -> Any:
    """A value for JSON; URLs without the passwords that mirrors may carry."""
    if isinstance(value, tuple):
        return [each if isinstance(each, str) else "=".join(map(shown, each)) for each in value]
    if isinstance(value, Path):
        return str(value)
    return shown(value) if isinstance(value, str) and "://" in value else value


def _in_words(setting: Setting) -> str:
    match setting.name, setting.value:
        case _, None | []:
            return "-"
        case _, list(rules):
            return " ".join(rules)
        case "max_size", int(size):
            return in_units(size)
        case "timeout" | "url_timeout", float(seconds):
            return f"{seconds:g} s"
    return str(setting.value)


@click.command(epilog="Example: potmodels catalog")
@json_option
@common_options
def show_catalog(invocation: Invocation, *, as_json: bool) -> None:
    """List the names that models can be asked for by.

    Presets, collections, models, short names, torchvision's architectures and the LUT networks
    that are here. Every other Hugging Face model is huggingface:NAME.
    """
    catalog = invocation.catalog()
    if as_json:
        put_json([*_groups(catalog), *_models(catalog), *_bare_names(catalog)])
        return
    rows = [
        (row["type"], row["name"], " ".join(row["models"]), "") for row in _groups(catalog)
    ] + [
        (row["type"], row["name"], row["id"], row["description"]) for row in _models(catalog)
    ]  # fmt: skip
    put_table(Table(("type", "name", "means", "description"), tuple(rows)))
    _put_paragraph("torchvision architectures", architectures())
    untrained = _untrained(catalog)
    names = lut.short(catalog.lut_names)
    marked = [f"{name} (not trained)" if name in untrained else name for name in names]
    _put_paragraph("LUT networks", marked)
    _put_paragraph("Hugging Face ids without an organisation", catalog.historic)


def _put_paragraph(title: str, names: Collection[str]) -> None:
    paragraph = f"{title} ({len(names)}): {', '.join(names)}"
    width = shutil.get_terminal_size().columns if is_terminal(sys.stdout) else len(paragraph)
    put("\n" + textwrap.fill(paragraph, width, subsequent_indent="  ", break_on_hyphens=False))


def _groups(catalog: Catalog) -> list[dict[str, Any]]:
    presets = {name: catalog.group(name) for name in catalog.presets}
    return [
        {"type": kind, "name": name, "models": list(models)}
        for kind, groups in (("preset", presets), ("collection", catalog.collections))
        for name, models in groups.items()
    ]


def _models(catalog: Catalog) -> list[dict[str, Any]]:
    named = [("model", name) for name in catalog.models]
    named += [("alias", name) for name in catalog.aliases if name not in catalog.models]
    return [_model(catalog, kind, name) for kind, name in named]


def _bare_names(catalog: Catalog) -> list[dict[str, Any]]:
    """What a name may be without a source and without being in the catalog."""
    networks = [_model(catalog, "architecture", name) for name in architectures()]
    untrained = _untrained(catalog)
    for name in lut.short(catalog.lut_names):
        said = {"description": "not trained"} if name in untrained else {}
        networks.append({**_model(catalog, "lut", name), **said})
    return [*networks, *(_model(catalog, "historic", name) for name in catalog.historic)]


def _untrained(catalog: Catalog) -> set[str]:
    """LUT networks that are here as a YAML without weights."""
    names = catalog.lut_names
    return {
        name.rpartition("/")[2] for name in names if pretrained_files.find(name).weights is None
    }


def _model(catalog: Catalog, kind: str, name: str) -> dict[str, Any]:
    entry = catalog.entry(name)
    return {
        "type": kind,
        "name": name,
        "id": str(entry.id),
        "source": entry.id.source,
        "revision": entry.id.revision,
        "kind": entry.kind,
        "weights": shown(entry.weights) if entry.weights else None,
        "description": entry.description,
    }
