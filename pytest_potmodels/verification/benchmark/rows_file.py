"""Rows as lines of JSON: any number of processes append to one file, and each line is whole."""

import json
import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.verification.benchmark import row as rows
from pytest_potmodels.verification.benchmark.row import Row

DEFAULT = "benchmark_rows.jsonl"
_TRIES, _PAUSE = 500, 0.02


@dataclass(frozen=True)
class Read:
    """The rows of a file, and the lines that are none, each with what is wrong."""

    rows: tuple[Row, ...]
    damaged: tuple[str, ...] = ()


def append(path: Path, found: Iterable[Row]) -> None:
    """Add rows to a file, each by one write; it is made where there is none.

    Raises:
        StoreError: the file does not take them.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not "a": buffered writes may split a line.
        flags = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
        handle = os.open(path, flags, 0o644)
        try:
            _lock(handle)
            for each in found:
                _write(handle, json.dumps(each.as_json()).encode() + b"\n")
        finally:
            os.close(handle)  # It takes the lock with it.
    except OSError as error:
        raise StoreError(
            f"{path} does not take the results: {error.strerror or error}.",
            remedy="name another file with --rows",
        ) from error


def read(path: Path) -> Read:
    """All rows of a file.

    Raises:
        UsageError: there is no such file.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}.", remedy="potmodels benchmark NAME makes one"
        ) from error
    found, damaged = [], []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(rows.from_json(json.loads(line)))
        except UsageError as error:
            damaged.append(f"{path}:{number}: {error.message}")
        except (ValueError, RecursionError) as error:
            damaged.append(f"{path}:{number}: it is no whole line of JSON: {error}")
    return Read(tuple(found), tuple(damaged))


def _write(handle: int, line: bytes) -> None:
    end = os.lseek(handle, 0, os.SEEK_END)
    if end:
        # Whoever was killed, or had no room, in the middle of a line spoils its own line only.
        os.lseek(handle, end - 1, os.SEEK_SET)
        if os.read(handle, 1) != b"\n":
            line = b"\n" + line
    if os.write(handle, line) != len(line):
        raise OSError(None, "the line was written in part")


if os.name == "nt":

    def _lock(handle: int) -> None:
        """Windows moves to the end and writes in two steps."""
        import msvcrt  # noqa: PLC0415

        for _ in range(_TRIES):
            with suppress(OSError):
                os.lseek(handle, 1 << 40, os.SEEK_SET)  # Far behind the end, so nobody is hindered.
                msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
                return
            time.sleep(_PAUSE)

else:

    def _lock(handle: int) -> None:
        """NFS appends in two steps; where it has no locks either, appending must do."""
        import fcntl  # noqa: PLC0415

        for _ in range(_TRIES):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE)
            except OSError:
                return
            else:
                return
