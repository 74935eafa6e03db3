"""Room on the disk, and what its errors mean."""

import contextlib
import errno
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from pytest_potmodels.errors import StoreError

_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
FREE_SPACE = "free some space (potmodels remove), or choose another folder with --pot-cache-dir"


def check_room(folder: Path, wanted: int) -> None:
    """Pass if the disk of `folder` has room for `wanted` more bytes.

    Raises:
        StoreError: it has not; the message holds both figures.
    """
    free = shutil.disk_usage(folder).free
    if wanted > free:
        raise StoreError(
            f"{folder}: {in_units(wanted)} are needed, {in_units(free)} are free.",
            remedy=FREE_SPACE,
        )


@contextlib.contextmanager
def guarded(path: Path, *, when_full: Callable[[], None] | None = None) -> Iterator[None]:
    """Turn the errors of file operations on `path` into StoreError.

    `when_full` gives back what the disk has no room for.

    Raises:
        StoreError: the disk is full, the folder does not take files, or the disk failed.
    """
    try:
        yield
    except OSError as error:
        if error.errno in _FULL and when_full is not None:
            with contextlib.suppress(OSError):
                when_full()
        raise _meaning(path, error) from error


def in_units(count: int) -> str:
    """Bytes for people: `512 bytes`, `3.2 MB`, decimal as on a disk's label."""
    size, unit = float(count), "bytes"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1000:  # noqa: PLR2004 - the step between decimal units
            break
        size, unit = size / 1000, larger
    return f"{count} bytes" if unit == "bytes" else f"{size:.1f} {unit}"


def _meaning(path: Path, error: OSError) -> StoreError:
    said = os.strerror(error.errno) if error.errno else str(error)
    if error.errno in _FULL:
        with contextlib.suppress(OSError):
            said += f", {in_units(shutil.disk_usage(path.parent).free)} are free now"
        return StoreError(f"The disk is full while writing {path}: {said}.", remedy=FREE_SPACE)
    if error.errno in _CLOSED:
        return StoreError(
            f"{path.parent} does not take files: {said}.",
            remedy="make it writable, or choose another folder with --pot-cache-dir",
        )
    return StoreError(f"{path} cannot be written: {said}.")
