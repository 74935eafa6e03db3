"""What killed and mended work leaves: folders on their way in, bad files set aside."""

from pathlib import Path

from pytest_potmodels.store import disk
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.locks import held


def leftovers(layout: Layout) -> list[Path]:
    """What is under way, was cut off, or lies in quarantine."""
    return sorted([*layout.partial.glob("*"), *layout.quarantine.glob("*")])


def discard(leftover: Path, layout: Layout) -> None:
    """Delete one of them.

    Raises:
        StoreError: another process is working on it.
        OSError: it cannot be deleted.
    """
    if leftover.parent != layout.partial:
        disk.delete(leftover)
        return
    with held(layout.lock(files_of(leftover.name.rpartition("@")[0])), timeout=0):
        disk.delete(leftover)


def files_of(name: str) -> str:
    """The lock of an entry's files, whatever the names that their model has."""
    return f"{name}@files"
