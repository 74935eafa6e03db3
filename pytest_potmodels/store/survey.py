"""What is in a cache, with size, last use and users: what a plan of eviction is made from."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store import disk, usage
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.derived_place import name_of
from pytest_potmodels.store.eviction import IN_PLACE, Item
from pytest_potmodels.store.leases import Heed, Lease, Leases


def survey(store: ModelStore, derived: DerivedStore, *, heed: Heed) -> list[Item]:
    """Look at all of it; nothing is changed but what dead processes left of their leases.

    Args:
        store: the models.
        derived: what was made from them.
        heed: whose leases hold an item.
    """
    users = [each for each in store.leases.look() if _heeded(each, heed)]
    return [
        *(_model(each, store, users) for each in store.entries()),
        *_derived(derived, heed),
        *_leftovers((*store.leftovers(), *derived.leftovers())),
    ]


def _heeded(lease: Lease, heed: Heed) -> bool:
    return heed == "all" or (heed == "others" and not lease.mine)


def _model(stored: StoredModel, store: ModelStore, users: Iterable[Lease]) -> Item:
    name = stored.path.name
    used = usage.last_used(store.layout, name, stored.path)
    held = IN_PLACE if stored.in_place else _in_use(name, users)
    title = str(stored.id) if "" in stored.refs else f"{stored.id}@{stored.revision}"
    return Item("model", name, title, stored.path, stored.size, used, held, stored)


def _derived(derived: DerivedStore, heed: Heed) -> Iterator[Item]:
    users = [
        lease for layout in derived.layouts for lease in Leases(layout).look()
        if _heeded(lease, heed)
    ]  # fmt: skip
    for each in derived.all():
        item = _derived_item(each, derived.last_used(each), users)
        yield replace(item, shared=each.path.parent != derived.layouts[0].derived)


def _derived_item(each: DerivedModel, used: float, users: Iterable[Lease]) -> Item:
    held = _in_use(name_of(each.key), users)
    return Item("derived", each.key, str(each), each.path, each.size, used, held, each)


def _leftovers(paths: Iterable[Path]) -> Iterator[Item]:
    for path in paths:
        inner = () if path.is_symlink() else tuple(disk.below(path))
        size = disk.bytes_in(path) if inner else _size(path)
        if changed := _last_change((path, *inner)):  # Else it is gone by now.
            yield Item("leftover", path.name, path.name, path, size, changed)


def _in_use(name: str, users: Iterable[Lease]) -> str:
    using = [str(each) for each in users if each.covers(name)]
    return f"in use by {' and '.join(using)}" if using else ""


def _size(path: Path) -> int:
    with contextlib.suppress(OSError):
        return 0 if path.is_dir() and not path.is_symlink() else path.lstat().st_size
    return 0


def _last_change(paths: Iterable[Path]) -> float:
    """When one of these last moved; a move itself shows in ctime alone. 0 if all are gone."""
    newest = 0.0
    for each in paths:
        with contextlib.suppress(OSError):
            facts = each.lstat()
            newest = max(newest, facts.st_mtime, facts.st_ctime)
    return newest
