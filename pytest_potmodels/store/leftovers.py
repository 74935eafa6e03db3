"""What killed and mended work leaves: folders on their way in, bad files set aside."""

import contextlib
from pathlib import Path

from pytest_potmodels.store import disk
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.locks import held


def leftovers(layout: Layout) -> list[Path]:
    """What is under way, was cut off, or lies in quarantine."""
    # What a link leads to is not ours to delete; no cache has one in their place.
    places = (each for each in (layout.partial, layout.quarantine) if not each.is_symlink())
    return sorted(path for place in places for path in place.glob("*"))


def discard(leftover: Path, layout: Layout) -> None:
    """Delete one of them; one that is gone is no error.

    Raises:
        StoreError: another process is working on it.
        OSError: it cannot be deleted.
    """
    with contextlib.ExitStack() as lock, contextlib.suppress(FileNotFoundError):
        if leftover.parent == layout.partial:
            name = files_of(leftover.name.rpartition("@")[0])
            lock.enter_context(held(layout.lock(name), timeout=0))
        disk.delete(leftover)


def files_of(name: str) -> str:
    """The lock of an entry's files, whatever the names that their model has."""
    return f"{name}@files"
