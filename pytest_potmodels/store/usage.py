"""When an entry was last used, as far as this machine knows: the time of an empty file."""

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from pytest_potmodels.store.layout import MANIFEST, Layout


def touch(layout: Layout, name: str) -> None:
    """Note that an entry is used now; a cache that cannot be written keeps no note."""
    place = layout.used(name)
    with contextlib.suppress(OSError):
        try:
            os.utime(place)
        except FileNotFoundError:
            place.parent.mkdir(exist_ok=True)
            place.touch()


def last_used(layout: Layout, name: str, folder: Path) -> float:
    """Seconds since the epoch; where nobody noted a use, when the entry came. 0 if it is gone."""
    # A cache may have been restored from an archive, with files older than the archive.
    return max(_times((layout.used(name), folder / MANIFEST)), default=0.0)


def forget(layout: Layout, name: str) -> None:
    """Drop the note of an entry that is removed."""
    with contextlib.suppress(OSError):
        layout.used(name).unlink()


def _times(places: Iterable[Path]) -> list[float]:
    found = []
    for place in places:
        with contextlib.suppress(OSError):
            found.append(place.stat().st_mtime)
    return found
