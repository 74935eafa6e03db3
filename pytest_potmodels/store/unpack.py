"""Archives from outside: every name is looked at before the first byte is written.

What Python's own readers let pass on one system (links, drive letters, two names that are one
where case does not count) would be met on another; so all of it is refused everywhere.
"""

import errno
import re
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from pytest_potmodels import file_names
from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.digests import CHUNK_BYTES
from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.store import disk
from pytest_potmodels.store.archives import Archive, Member, opened

_DRIVE = re.compile(r"[A-Za-z]:")
#: Characters of a name that a message shows.
_SHOWN = 100
#: What the readers raise over a file that is damaged, or of a kind that they do not know.
_UNREADABLE = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError),
    *(NotImplementedError, RuntimeError, ValueError),
)
#: What a disk never answers: the readers came to an impossible place in the file.
_NOT_OF_THE_DISK = (None, errno.EINVAL)


@dataclass(frozen=True)
class Bounds:
    """How much may come out of an archive."""

    members: int = 50_000
    bytes: int = 2 * 1000**3
    #: Times the archive's own size; sources shrink to a fifth, a bomb to a thousandth.
    ratio: int = 100
    #: Bytes up to which the ratio does not count.
    small: int = 50 * 1000**2

    def bytes_of(self, archive: Path) -> int:
        """The most bytes that may come out of this one."""
        return min(self.bytes, max(self.small, self.ratio * archive.stat().st_size))


@dataclass(frozen=True)
class Unpacked:
    """What came out, with paths as seen from the archive's top folder."""

    files: tuple[StoredFile, ...]
    #: The archive's own comment; git writes the commit there.
    comment: str


class _RefusedError(Exception):
    """What is wrong with an archive, in words."""


def unpack(archive: Path, folder: Path, bounds: Bounds | None = None) -> Unpacked:
    """Unpack a zip or tar.gz into a fresh folder, without its one top folder.

    Raises:
        UnavailableError: NOT_LOADABLE; it is refused, and nothing of it is left.
        OSError: the disk does not take it.
    """
    bounds = bounds or Bounds()
    if folder.is_symlink() or folder.exists():
        disk.delete(folder)
    try:
        return _unpacked(archive, folder, bounds)
    except BaseException as error:
        if folder.exists():
            disk.delete(folder)
        if isinstance(error, (_RefusedError, *_UNREADABLE)) or _is_impossible(error):
            raise _refusal(archive, error) from error
        raise


def _unpacked(archive: Path, folder: Path, bounds: Bounds) -> Unpacked:
    most = bounds.bytes_of(archive)
    with opened(archive) as found:
        names = _checked(found.members(), bounds, most)
    top = _top_folder(names)
    folder.mkdir(parents=True)
    with opened(archive) as found:
        files = tuple(_written(found, folder, top, most))
        return Unpacked(files, found.comment)


def _checked(members: Iterable[Member], bounds: Bounds, most: int) -> list[str]:
    """The names of all files, once no member is anything but a file or a folder in its place."""
    files: list[str] = []
    total = 0
    for count, member in enumerate(members, start=1):
        total += member.size
        if count > bounds.members:
            raise _RefusedError(f"it has more than {bounds.members} members")
        if total > most:
            raise _RefusedError(f"more than {most} bytes would come out of it, as of a bomb")
        if trouble := member.trouble or _name_trouble(member.name):
            raise _RefusedError(f"{member.name[:_SHOWN]!r} {trouble}")
        if not member.is_folder:
            files.append(member.name)
    if clash := file_names.clash(files):
        raise _RefusedError(clash)
    return files


def _name_trouble(name: str) -> str:
    parts = name.split("/")
    if "\\" in name:
        return "has a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "is absolute"
    if ".." in parts:
        return "climbs out of its folder"
    if {"", "."} & set(parts):
        return "is no path of a file"
    found = file_names.path_trouble(name)
    return f"cannot be kept: {found}" if found else ""


def _top_folder(names: list[str]) -> str:
    tops = {name.partition("/")[0] for name in names}
    if len(tops) != 1 or any("/" not in name for name in names):
        shown = ", ".join(sorted(tops)[:3]) or "nothing"
        raise _RefusedError(f"expected one folder at its top, found {shown}")
    return tops.pop()


def _written(found: Archive, folder: Path, top: str, most: int) -> Iterable[StoredFile]:
    left = most
    for member in found.members():
        if member.is_folder:
            continue
        path = member.name.removeprefix(f"{top}/")
        with found.open(member) as stream:
            size, digest = _copy(stream, folder / path, left)
        if size != member.size:
            raise _RefusedError(f"{member.name!r} has {size} bytes, not {member.size} as it says")
        left -= size
        yield StoredFile(path, size, digest)


def _copy(stream: IO[bytes], target: Path, most: int) -> tuple[int, str]:
    target.parent.mkdir(parents=True, exist_ok=True)
    hasher, size = sha256(), 0
    with target.open("xb") as out:
        while chunk := stream.read(CHUNK_BYTES):
            size += len(chunk)
            if size > most:
                raise _RefusedError("more comes out of it than it says, as of a bomb")
            hasher.update(chunk)
            out.write(chunk)
    target.chmod(disk.WRITABLE)
    return size, hasher.hexdigest()


def _is_impossible(error: BaseException) -> bool:
    return isinstance(error, OSError) and error.errno in _NOT_OF_THE_DISK


def _refusal(archive: Path, error: BaseException) -> UnavailableError:
    why = str(error) if isinstance(error, _RefusedError) else f"it cannot be read: {error}"
    return UnavailableError(
        f"The archive {archive.name} is refused: {why}. Nothing of it was kept.",
        reason=Reason.NOT_LOADABLE,
        remedy="ask whoever publishes it, or name another revision",
    )
