"""Where a remote's objects lie: in a folder that is mounted, or where fsspec reaches them.

Both are asked for whole objects and for parts of them, and make one visible whole or not at all.
"""

import contextlib
import errno
import os
import shutil
import stat
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

#: An object on its way in; nothing looks for such names.
_FRESH = ".new-"


class Backend(Protocol):
    """Named bytes; a name that is not there is FileNotFoundError, other errors are as they come."""

    #: Whether asking it is a request over the network, as far as this process can tell.
    is_network: bool

    def read(self, name: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, or fewer where it ends earlier."""

    def size(self, name: str) -> int:
        """How many bytes it has."""

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name, in place of what is there."""

    def upload(self, source: Path, name: str) -> None:
        """Put a file's bytes under a name, in place of what is there."""


class SharedFolder:
    """A folder of this machine, or one that it has mounted."""

    is_network = False

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, name: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, or fewer where it ends earlier."""
        with (self._root / name).open("rb") as stream:
            stream.seek(start)
            return stream.read(end - start)

    def size(self, name: str) -> int:
        """How many bytes it has."""
        facts = (self._root / name).stat()
        if not stat.S_ISREG(facts.st_mode):
            raise OSError(f"{name} is no plain file")
        return facts.st_size

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name, in place of what is there."""
        self._publish(name, lambda fresh: fresh.write_bytes(data))

    def upload(self, source: Path, name: str) -> None:
        """Put a file's bytes under a name, in place of what is there."""
        self._publish(name, lambda fresh: shutil.copyfile(source, fresh))

    def _publish(self, name: str, fill: Callable[[Path], object]) -> None:
        # Not its parents: what is not mounted must not be made on this machine's own disk.
        self._root.mkdir(exist_ok=True)
        target = self._root / name
        target.parent.mkdir(parents=True, exist_ok=True)
        # Not by tempfile: its files are for one user alone, and a share is for several.
        fresh = target.with_name(f"{_FRESH}{uuid.uuid4().hex}")
        try:
            fill(fresh)
            with fresh.open("rb+") as stream:
                os.fsync(stream.fileno())
            fresh.replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                fresh.unlink()
            raise


class FsspecFolder:
    """A folder of a file system of fsspec.

    Args:
        files: the file system.
        root: the folder, as that file system names it.
        renames: whether an object must get another name first, because it is seen while it
            grows; in an object store it is not.
    """

    is_network = True

    def __init__(self, files: "AbstractFileSystem", root: str, *, renames: bool) -> None:
        self._files = files
        self._root = root.rstrip("/")
        self._renames = renames

    def read(self, name: str, start: int, end: int) -> bytes:
        """The bytes from `start` to before `end`, or fewer where it ends earlier."""
        try:
            # One request, where an open file of fsspec would ask for the size first.
            return bytes(self._files.cat_file(f"{self._root}/{name}", start=start, end=end))
        except OSError as error:
            # S3 answers so (416) where a range begins behind the end.
            if error.errno == errno.EINVAL and self.size(name) <= start:
                return b""
            raise

    def size(self, name: str) -> int:
        """How many bytes it has."""
        facts = self._files.info(f"{self._root}/{name}")
        if facts["type"] != "file":
            raise FileNotFoundError(name)
        return int(facts["size"])

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name, in place of what is there."""
        self._publish(name, lambda fresh: self._files.pipe_file(fresh, data))

    def upload(self, source: Path, name: str) -> None:
        """Put a file's bytes under a name, in place of what is there."""
        self._publish(name, lambda fresh: self._files.put_file(str(source), fresh))

    def _publish(self, name: str, fill: Callable[[str], object]) -> None:
        target = f"{self._root}/{name}"
        if not self._renames:
            fill(target)
            return
        folder = target.rpartition("/")[0]
        self._files.makedirs(folder, exist_ok=True)
        fresh = f"{folder}/{_FRESH}{uuid.uuid4().hex}"
        try:
            fill(fresh)
            self._rename(fresh, target)
        except BaseException:
            with contextlib.suppress(Exception):
                self._files.rm_file(fresh)
            raise

    def _rename(self, fresh: str, target: str) -> None:
        try:
            self._files.mv(fresh, target)
        except OSError:  # SFTP, for one, replaces no file
            self._files.rm_file(target)
            self._files.mv(fresh, target)
