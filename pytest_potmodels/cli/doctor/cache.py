"""The cache folder: may it be written, is there room, do locks work, is what is in it whole?"""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pytest_potmodels.cli import records
from pytest_potmodels.cli.doctor import file_system
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.locks import held
from pytest_potmodels.transfer.disk import in_units

_LITTLE_ROOM = 2 * 1000**3


def check(store: ModelStore) -> Iterator[Finding]:
    """Look at the cache without changing what is in it."""
    folder = _nearest(store.layout.root)
    if not folder.is_dir():
        said, remedy = f"{folder} is a file, not a folder", "choose another --cache-dir"
        yield Finding("cache", "fail", said, remedy)
        return
    yield from _writable(store, folder)
    free = shutil.disk_usage(folder).free
    said = f"{in_units(free)} free in {folder}"
    if free < _LITTLE_ROOM:
        yield Finding("disk", "warn", said, "free some space, or choose another --cache-dir")
    else:
        yield Finding("disk", "ok", said)
    yield _contents(store)


def _writable(store: ModelStore, folder: Path) -> Iterator[Finding]:
    root = store.layout.root
    new = "" if folder == root else " (not there yet)"
    try:
        with tempfile.TemporaryDirectory(prefix=".potmodels-doctor-", dir=folder) as scratch:
            yield Finding("cache", "ok", f"{root}{new} takes files")
            yield _locks(Path(scratch))
            yield file_system.check(Path(scratch))
    except OSError as error:
        said = f"{root}{new} takes no files: {error.strerror or error}"
        remedy = "make it writable, or choose another with --cache-dir or POT_CACHE_DIR"
        # What is in a read-only cache works; only an empty one is of no use.
        yield Finding("cache", "warn" if store.entries() else "fail", said, remedy)


def _locks(folder: Path) -> Finding:
    """Whether the lock that downloads take can be held once only."""
    lock = folder / "doctor.lock"
    with held(lock, timeout=1):
        if any(path.suffix == ".soft" for path in folder.iterdir()):
            said = "this file system has no locks: marker files stand in, and outlive a crash"
            return Finding("locks", "warn", said, "choose a --cache-dir on a local disk")
        try:
            with held(lock, timeout=0):
                said = "two processes can hold one lock here: they may download a model twice"
                return Finding("locks", "warn", said, "choose a --cache-dir on a local disk")
        except StoreError:
            return Finding("locks", "ok", "file locks work")


def _contents(store: ModelStore) -> Finding:
    models, damaged = store.entries(), store.damaged_entries()
    said = records.amount(len(models), "model", records.total_size(models))
    if left := store.leftovers():
        said += f"; {records.counted(len(left), 'leftover')} of downloads and repairs"
    if damaged:
        broken = f"{said}; no readable manifest: {', '.join(damaged)}"
        return Finding("models", "fail", broken, "potmodels verify --fix")
    return Finding("models", "ok", said)


def _nearest(folder: Path) -> Path:
    """The folder, or what is there of the way to it."""
    return next(each for each in (folder, *folder.parents) if each.exists())
