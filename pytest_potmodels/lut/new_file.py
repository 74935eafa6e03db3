"""A new file: whole or not at all, and never over another one unasked."""

import contextlib
import os
import tempfile
from pathlib import Path

from pytest_potmodels.errors import LUTError


def write_new(path: Path, data: bytes, *, overwrite: bool) -> None:
    """Write a file, flushed before it gets its name; folders on the way are made.

    Raises:
        LUTError: the file is there and `overwrite` is not said, or the disk does not take it;
            what was there is as it was.
    """
    refuse_existing(path, overwrite=overwrite)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = _flushed(path.parent, data)
        try:
            _name(fresh, path, overwrite=overwrite)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        if path.is_file():
            refuse_existing(path, overwrite=overwrite)
        raise LUTError(f"{path} cannot be written: {error.strerror or error}.") from error


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Accept a path where nothing is yet.

    Raises:
        LUTError: something is there, and `overwrite` is not said.
    """
    if path.exists() and not overwrite:
        raise LUTError(f"{path} is there already.", remedy="another path, or overwrite=True")


def _flushed(folder: Path, data: bytes) -> Path:
    handle, name = tempfile.mkstemp(dir=folder, prefix=".new-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).chmod(0o644)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(name).unlink()
        raise
    return Path(name)


def _name(fresh: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        fresh.replace(path)
        return
    try:
        # Unlike a rename, a link fails where another process was faster.
        path.hardlink_to(fresh)
    except FileExistsError:
        raise
    except OSError:  # File systems without links.
        fresh.replace(path)
