"""The lock file: can it be read, and do its names still mean what is locked?"""

from collections.abc import Iterator
from dataclasses import replace

from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.cli import records
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.entries import Lock
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore


def trouble(settings: Settings) -> UsageError | None:
    """Why the lock file in force cannot be used, if it cannot."""
    try:
        open_pins(settings.lock, only=settings.locked)
    except UsageError as error:
        return error
    return None


def without(settings: Settings) -> Settings:
    """The settings without a lock, for the checks of everything else."""
    return replace(settings, lock=None, locked=False)


def check(settings: Settings, store: ModelStore, catalog: Catalog) -> Finding:
    """Look at the lock file in force."""
    if error := trouble(settings):
        return Finding("lock", "fail", error.message, error.remedy)
    pins = open_pins(settings.lock, only=settings.locked)
    if pins.lock is None:
        return Finding("lock", "ok", "no lock file; potmodels lock --from-tests makes one")
    here = {entry.key for each in store.entries() if (entry := pins.entry_of(each)) is not None}
    amount = records.counted(len(pins.lock.models), "model")
    said = f"{pins.lock.path}: {amount}, {len(here)} of them in the cache"
    if stale := sorted(_stale(pins.lock, catalog)):
        names = ", ".join(stale)
        return Finding("lock", "warn", f"{said}; stale: {names}", "potmodels lock --update")
    return Finding("lock", "ok", said)


def _stale(lock: Lock, catalog: Catalog) -> Iterator[str]:
    """Names that mean another model by now than when they were locked."""
    for entry in lock.models:
        for name in entry.names:
            try:
                now = catalog.request(name).id
            except UsageError:
                yield f"{name!r} means nothing now"
                continue
            if now.source != entry.source or now.name not in entry.ids:
                yield f"{name!r} is {now} now"
