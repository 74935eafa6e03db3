"""When and how each file of an entry came: this machine's own record, kept beside the manifest.

Not in it: the manifest says the same wherever the model is copied to, and a path of somebody's
home folder is nobody else's affair.
"""

import contextlib
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.store import disk, plain_json
from pytest_potmodels.store.layout import Layout

DOWNLOADED = "downloaded"
#: The year 5138: far enough, and a date that every system can write.
_LATEST = 1e11


@dataclass(frozen=True)
class Arrival:
    """How a file came ("downloaded", "adopted from ..."), and when, in seconds of the epoch."""

    how: str
    at: float


def record(layout: Layout, name: str, files: Iterable[StoredFile]) -> None:
    """Note that these files of an entry came just now; what is known of others stays."""
    now = time.time()
    known = read(layout, name) | {
        file.path: Arrival(file.came or DOWNLOADED, now) for file in files
    }
    text = json.dumps({path: [each.how, each.at] for path, each in known.items()}, indent=0)
    with contextlib.suppress(OSError):
        disk.write_whole(layout.came(name), text)


def read(layout: Layout, name: str) -> dict[str, Arrival]:
    """What is on record, by path; empty where nothing is, or nothing readable."""
    try:
        data: Mapping[str, list[object]] = plain_json.load(layout.came(name))
        return {str(path): _arrival(values) for path, values in data.items()}
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError):
        return {}


def forget(layout: Layout, name: str) -> None:
    """Drop the record of an entry that is removed."""
    with contextlib.suppress(OSError):
        layout.came(name).unlink()


def _arrival(values: list[object]) -> Arrival:
    how, at = plain_json.typed(str, values[0]), plain_json.typed(float, values[1])
    if not 0 <= at < _LATEST:
        raise ValueError(f"{at} is no time")
    return Arrival(how, at)
