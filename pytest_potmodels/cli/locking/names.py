"""What a lock holds, by names that every command takes."""

from contextlib import suppress

from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.entries import LockedModel
from pytest_potmodels.lockfile.pins import Pins


def locked_names(pins: Pins, catalog: Catalog) -> list[str]:
    """One name for each entry: one that leads to it here, else its id at its pin."""
    return [_name(entry, pins, catalog) for entry in (pins.lock.models if pins.lock else ())]


def _name(entry: LockedModel, pins: Pins, catalog: Catalog) -> str:
    for name in entry.names:
        with suppress(UsageError):  # A conftest.py brought it, and the command line has none.
            if pins.entry(catalog.request(name)) is entry:
                return name
    return str(entry.request().id)
