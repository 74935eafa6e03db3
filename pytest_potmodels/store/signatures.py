"""Prove in microseconds that a file was not touched since it was hashed.

A signature is (size, mtime, ctime, inode) in the file system's finest unit. A same-size edit
with a forged mtime still moves ctime. Signatures are this machine's own and best effort: where
they cannot be kept, files are hashed again.
"""

import contextlib
import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.store import disk

Signature = tuple[int, int, int, int]

#: Many kernels stamp files by a clock that ticks every 1 to 10 ms. A change within the tick of the
#: one before it leaves no trace, so a signature counts only once its tick is over.
_TICK_NS = 20_000_000


class Recorded(Protocol):
    """A folder whose files are on record: a model, or what was made from one."""

    @property
    def path(self) -> Path:
        """The folder."""

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """What is on record."""

    @property
    def in_place(self) -> bool:
        """Whether the folder is not ours."""


def signature(path: Path) -> Signature:
    """The stat signature of a file.

    Raises:
        OSError: there is no such file.
    """
    return of_facts(path.stat())


def of_facts(facts: os.stat_result) -> Signature:
    """The stat signature that a stat holds."""
    return (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


def is_settled(mark: Signature, *, at_ns: int) -> bool:
    """Whether every change after `at_ns`, when the signature was taken, shows in a new one."""
    return mark[2] + _TICK_NS < at_ns


def of(stored: Recorded) -> dict[str, Signature]:
    """The signatures of a folder's files, once they are settled.

    Raises:
        OSError: a file is not there.
    """
    newest = max((mark[2] for mark in _now(stored).values()), default=0)
    wait = newest + _TICK_NS - time.time_ns()
    if 0 <= wait <= _TICK_NS:
        time.sleep(wait / 1e9 + 0.001)
    marks = _now(stored)
    return {path: mark for path, mark in marks.items() if is_settled(mark, at_ns=time.time_ns())}


def read(record: Path) -> dict[str, Signature]:
    """The signatures on record, by path; empty when there is no readable record."""
    try:
        with open(record, "rb") as stream:  # noqa: PTH123  read for each model of each test
            data = json.loads(stream.read())
        return {path: _four(values) for path, values in data.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}


def write(record: Path, signatures: Mapping[str, Signature]) -> None:
    """Keep signatures; a read-only cache keeps none."""
    with contextlib.suppress(OSError):
        disk.write_whole(record, json.dumps(signatures))


def _now(stored: Recorded) -> dict[str, Signature]:
    return {file.path: signature(stored.path / file.path) for file in stored.files}


def _four(values: list[int]) -> Signature:
    size, mtime, ctime, inode = values
    return (int(size), int(mtime), int(ctime), int(inode))
