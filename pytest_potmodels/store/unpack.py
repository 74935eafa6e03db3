"""Archives from outside: every name is looked at before the first byte is written.

What Python's own readers let pass on one system (links, drive letters, two names that are one
where case does not count) would be met on another; so all of it is refused everywhere.
"""

import gzip
import re
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import IO

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.digests import CHUNK_BYTES
from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.store import disk
from pytest_potmodels.store.archives import Archive, Member, opened

_DRIVE = re.compile(r"[A-Za-z]:")
#: Streams of Windows, and control characters.
_FORBIDDEN = re.compile(r"[:\x00-\x1f\x7f]")
_DEVICES = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9¹²³])(\..*)?", re.IGNORECASE)
#: What the readers raise over a file that is damaged, or of a kind that they do not know.
_UNREADABLE = (
    *(zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError),
    *(NotImplementedError, RuntimeError, ValueError),
)


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
        if isinstance(error, (_RefusedError, *_UNREADABLE)):
            raise _refusal(archive, error) from error
        raise


def _unpacked(archive: Path, folder: Path, bounds: Bounds) -> Unpacked:
    most = bounds.bytes_of(archive)
    with opened(archive, most) as found:
        names = _checked(found.members(), bounds, most)
    top = _top_folder(names)
    folder.mkdir(parents=True)
    with opened(archive, most) as found:
        files = tuple(_written(found, folder, top, most))
        return Unpacked(files, found.comment)


def _checked(members: Iterable[Member], bounds: Bounds, most: int) -> list[str]:
    """The names of all files, once no member is anything but a file or a folder in its place."""
    taken: dict[str, str] = {}
    files: list[str] = []
    total = 0
    for count, member in enumerate(members, start=1):
        total += member.size
        if count > bounds.members:
            raise _RefusedError(f"it has more than {bounds.members} members")
        if total > most:
            raise _RefusedError(f"more than {most} bytes would come out of it, as of a bomb")
        if trouble := member.trouble or _name_trouble(member.name):
            raise _RefusedError(f"{member.name!r} {trouble}")
        if not member.is_folder:
            _take(member.name, taken)
            files.append(member.name)
    _refuse_files_as_folders(files)
    return files


def _name_trouble(name: str) -> str:
    parts = name.split("/")
    if "\\" in name:
        return "has a backslash"
    if name.startswith("/") or _DRIVE.match(name):
        return "is absolute"
    if ".." in parts:
        return "climbs out of its folder"
    if {"", "."} & set(parts) or not _is_text(name):
        return "is no path of a file"
    return _windows_trouble(parts)


def _windows_trouble(parts: list[str]) -> str:
    for part in parts:
        if _FORBIDDEN.search(part) or part != part.rstrip(". "):
            return f"is no file name on Windows ({part!r})"
        if _DEVICES.fullmatch(part):
            return f"is a device on Windows ({part!r})"
    return ""


def _is_text(name: str) -> bool:
    """Whether a manifest can hold the name; a tar may have bytes of any encoding."""
    return name.encode("utf-8", "replace").decode("utf-8") == name


def _take(name: str, taken: dict[str, str]) -> None:
    other = taken.setdefault(_folded(name), name)
    if other is not name:
        same = "is there twice" if other == name else f"and {other!r} are one where case is none"
        raise _RefusedError(f"{name!r} {same}")


def _refuse_files_as_folders(files: list[str]) -> None:
    folders = {_folded(name.rsplit("/", depth)[0]) for name in files for depth in _depths(name)}
    for name in files:
        if _folded(name) in folders:
            raise _RefusedError(f"{name!r} is a file and a folder")


def _depths(name: str) -> range:
    return range(1, name.count("/") + 1)


def _folded(name: str) -> str:
    # macOS takes two ways to write an umlaut for one name.
    return unicodedata.normalize("NFC", name).casefold()


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


def _refusal(archive: Path, error: BaseException) -> UnavailableError:
    why = str(error) if isinstance(error, _RefusedError) else f"it cannot be read: {error}"
    return UnavailableError(
        f"The archive {archive.name} is refused: {why}. Nothing of it was kept.",
        reason=Reason.NOT_LOADABLE,
        remedy="ask whoever publishes it, or name another revision",
    )
