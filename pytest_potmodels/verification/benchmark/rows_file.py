"""Rows as lines of JSON: any number of processes append to one file, and each line is whole."""

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import BaseFileLock, FileLock

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.verification.benchmark import row as rows
from pytest_potmodels.verification.benchmark.row import Row

DEFAULT = "benchmark_rows.jsonl"
#: Seconds to wait for others that append.
_PATIENCE = 60.0


@dataclass(frozen=True)
class Read:
    """The rows of a file, and the lines that are none, each with what is wrong."""

    rows: tuple[Row, ...]
    damaged: tuple[str, ...] = ()


def check(path: Path) -> None:
    """Pass if rows may be added to a file: it is absent, empty, or begins like one of rows.

    Raises:
        UsageError: it is somebody's file of another kind.
    """
    with suppress(OSError):  # Whatever is wrong with it is said when rows are written.
        with path.open("rb") as stream:
            begins = stream.read(1)
        if begins not in (b"", b"{"):
            raise UsageError(f"{path} is no file of rows.", remedy="name another with --rows")


def append(path: Path, found: Iterable[Row]) -> None:
    """Add rows to a file, each by one write; it is made where there is none.

    Raises:
        StoreError: the file does not take them.
        UsageError: it is no file of rows.
    """
    check(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Not "a": buffered writes may split a line.
        flags = os.O_APPEND | os.O_CREAT | os.O_RDWR | getattr(os, "O_BINARY", 0)
        # NFS and Windows append in two steps: to move to the end, and to write.
        with lock(path):
            handle = os.open(path, flags, 0o644)
            try:
                for each in found:
                    _write(handle, json.dumps(each.as_json()).encode() + b"\n")
            finally:
                os.close(handle)
    except OSError as error:
        raise StoreError(
            f"{path} does not take the results: {error.strerror or error}.",
            remedy="name another file with --rows",
        ) from error


def lock(path: Path) -> BaseFileLock:
    """What whoever writes to a file of rows, or makes something of all of them, holds."""
    place = path.resolve()
    return FileLock(place.with_name(f".{place.name}.lock"), timeout=_PATIENCE)


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
