"""What lies in the cache beside its models: derived folders, leftovers, leases; and its bounds."""

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_potmodels.cli import records
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.eviction import DAY, IN_PLACE, Item
from pytest_potmodels.store.leases import Leases
from pytest_potmodels.store.survey import survey
from pytest_potmodels.transfer.disk import in_units


def check(store: ModelStore, derived: DerivedStore, settings: Settings) -> Iterator[Finding]:
    """Look at both folders of what was derived, and at what processes leave and use."""
    items = survey(store, derived, heed="all")
    yield _derived(derived)
    yield _leftovers([item for item in items if item.what == "leftover"])
    yield _leases(derived)
    yield _cleanup(settings, sum(item.size for item in items if item.held != IN_PLACE))


def _derived(derived: DerivedStore) -> Finding:
    own, *others = derived.layouts
    said = [_amount(own.derived, derived.all())]
    said += [_amount(layout.root, derived.all()) for layout in others if layout.root.exists()]
    # Only a cache that cannot be written sends what is derived elsewhere.
    closed = own.root.exists() and not os.access(own.root, os.W_OK)
    if closed and not any(_takes_files(layout.root) for layout in others):
        remedy = "name a folder that takes files in POT_DERIVED_DIR"
        return Finding("derived", "warn", f"{'; '.join(said)}; nothing can be derived", remedy)
    return Finding("derived", "ok", "; ".join(said))


def _amount(folder: Path, derived: Sequence[DerivedModel]) -> str:
    here = [each for each in derived if each.path.parent == folder]
    amount = records.amount(len(here), "derived folder", sum(each.size for each in here))
    return f"{amount} in {folder}"


def _takes_files(folder: Path) -> bool:
    nearest = next(each for each in (folder, *folder.parents) if each.exists())
    return os.access(nearest, os.W_OK)


def _leftovers(items: Sequence[Item]) -> Finding:
    stale = [item for item in items if time.time() - item.last_used > DAY]
    recent = len(items) - len(stale)
    if stale:
        size = sum(item.size for item in stale)
        said = f"{records.amount(len(stale), 'leftover', size)}, older than a day"
        return Finding("leftovers", "warn", said, "potmodels prune")
    said = f"{records.counted(recent, 'leftover')}, younger than a day" if recent else "none"
    return Finding("leftovers", "ok", said)


def _leases(derived: DerivedStore) -> Finding:
    live = [lease for layout in derived.layouts for lease in Leases(layout).look()]
    users = [f"{each} uses {records.counted(len(each.names or ()), 'folder')}" for each in live]
    return Finding("leases", "ok", "; ".join(users) or "no process uses the cache now")


def _cleanup(settings: Settings, size: int) -> Finding:
    threshold = settings.cleanup_threshold
    if threshold is None and "cleanup_min_age_days" in settings.origins:
        said = f"{settings.origins['cleanup_min_age_days']} is set and no threshold: nothing goes"
        return Finding("cleanup", "warn", said, "set CACHE_CLEANUP_THRESHOLD to a number of GB")
    if threshold is None:
        return Finding("cleanup", "ok", f"off; the cache has {in_units(size)}")
    days = f"{settings.cleanup_min_age_days:g}"
    said = f"from {threshold:g} GB on, of what was not used for {days} days; now {in_units(size)}"
    return Finding("cleanup", "ok", said)
