"""Put the catalog together: the shipped one, installed packages', hooks', the user's."""

import sys
import tomllib
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from pytest_potmodels.catalog.entries import KINDS, CatalogEntry, Where, read_entry
from pytest_potmodels.catalog.installed import may_have
from pytest_potmodels.catalog.lut import Names
from pytest_potmodels.catalog.naming import Catalog, Pinned
from pytest_potmodels.errors import UnknownNameError, UsageError

if TYPE_CHECKING:
    from importlib.metadata import EntryPoint

#: Packages extend the catalog under this entry-point group: a table as below, or a callable
#: that returns one. The CLI reads it, too, so both see the same names.
ENTRY_POINTS = "pytest_potmodels"
_TABLES = ("models", "presets")

Table = Mapping[str, Any]


def build_catalog(
    own: Table,
    where: Where,
    additions: Iterable[tuple[str, Table]] = (),
    *,
    pinned: Pinned | None = None,
    find_lut: Names | None = None,
) -> Catalog:
    """The catalog, with the user's `own` tables over `additions` over packages' over ours.

    Args:
        own: the `models` and `presets` tables of the user's configuration.
        where: says `file:line` of a key in them.
        additions: (who, tables) from hooks.
        pinned: what a lock makes of a request.
        find_lut: finds the LUT networks of this machine.

    Raises:
        UsageError: a table that cannot be meant; the message says whose.
    """
    shipped = tomllib.loads((files(__package__) / "catalog.toml").read_text(encoding="utf-8"))
    models: dict[str, CatalogEntry] = {}
    presets: dict[str, dict[str, str]] = {}
    # To look its names up in torchvision's table takes longer than all the rest: a test does.
    _add(shipped, _place("catalog.toml"), models, presets, published=True)
    for who, table in (*_from_packages(), *additions):
        _check_table(who, table)
        _add(table, _place(who), models, presets)
    _add(own, where, models, presets)
    catalog = Catalog(
        models=models,
        presets=presets,
        collections={name: tuple(items) for name, items in shipped["collections"].items()},
        **{key: shipped[key] for key in ("aliases", "historic", "architectures")},
        pinned=pinned,
        find_lut=find_lut,
    )
    _check_presets(catalog, own, where)
    return catalog


def read_models(own: Table, where: Where) -> dict[str, CatalogEntry]:
    """The user's `own` models alone; their presets are checked for keys, not for names.

    Raises:
        UsageError: a table that cannot be meant, with file and line.
    """
    models: dict[str, CatalogEntry] = {}
    _add(own, where, models, {})
    return models


def _from_packages() -> list[tuple[str, Table]]:
    if not may_have(ENTRY_POINTS, sys.path):
        return []
    from importlib.metadata import entry_points  # noqa: PLC0415 - see `installed`

    layers = []
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: p.name):
        who = f"entry point {point.name} = {point.value}"
        layers.append((who, _loaded(point, who)))
    return layers


def _check_table(who: str, table: Any) -> None:
    if not isinstance(table, Mapping):
        raise UsageError(f"{who} gives {type(table).__name__}, expected a table.")
    for key, value in table.items():
        if key not in _TABLES:
            raise UnknownNameError("key", str(key), _TABLES, where=who)
        if not isinstance(value, Mapping):
            raise UsageError(f"{who}: {key!r} is no table.")


def _loaded(point: "EntryPoint", who: str) -> Any:
    try:
        found = point.load()
        return found() if callable(found) else found
    except Exception as error:
        package = point.dist.name if point.dist else point.value
        raise UsageError(
            f"{who} of the package {package} fails: {type(error).__name__}: {error}.",
            remedy=f"update or uninstall {package}",
        ) from error


def _add(
    table: Table,
    where: Where,
    models: dict[str, CatalogEntry],
    presets: dict[str, dict[str, str]],
    *,
    published: bool = False,
) -> None:
    for name, entry in table.get("models", {}).items():
        models[name] = read_entry(name, entry, where, published=published)
    for preset, chosen in table.get("presets", {}).items():
        if not isinstance(chosen, Mapping):
            raise UsageError(f"{where('presets', preset)}: [presets.{preset}] is no table.")
        for kind, name in chosen.items():
            place = where("presets", preset, kind)
            if kind not in KINDS:
                raise UnknownNameError("kind", kind, KINDS, where=place)
            if not isinstance(name, str):
                raise UsageError(f"{place}: {kind} = {name!r} is no string.")
        presets[preset] = {**presets.get(preset, {}), **chosen}


def _check_presets(catalog: Catalog, own: Table, where: Where) -> None:
    """A repointed preset that names nothing is an error now, not when a test asks for it."""
    for preset, chosen in own.get("presets", {}).items():
        for kind, name in chosen.items():
            try:
                catalog.request(name, kind=kind)
            except UsageError as error:
                place = where("presets", preset, kind)
                raise UsageError(f"{place}: {error.message}", remedy=error.remedy) from None


def _place(who: str) -> Where:
    return lambda *keys: f"{who} [{'.'.join(keys)}]"
