"""Zip and tar.gz as one thing: members in order, each with what is wrong with its kind."""

import contextlib
import gzip
import io
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Protocol

_ZIP, _GZIP = b"PK", b"\x1f\x8b"
_ENCRYPTED = 0x1
#: All that git uses; the readers of others allocate what a header says.
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
#: Bytes of a zip's list of members, which is read in one piece; fifty thousand take a third.
_LONGEST_LIST = 1 << 24
#: Bytes of a tar beside those of its files: at its ends, and of each member's headers and padding.
_ENDS, _HEADERS = 1 << 20, 1 << 12


@dataclass(frozen=True)
class Member:
    """A file or folder of an archive; `trouble` says why it is neither, or cannot be read."""

    name: str
    size: int
    is_folder: bool
    trouble: str = ""
    handle: Any = field(default=None, repr=False, compare=False)


class Archive(Protocol):
    """An archive that is open for reading."""

    @property
    def comment(self) -> str:
        """What is written about the whole; "" without."""
        ...

    def members(self) -> Iterator[Member]:
        """All members in order."""
        ...

    def open(self, member: Member) -> IO[bytes]:
        """The bytes of the member that `members` gave last."""
        ...


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Open an archive by its first bytes; what it says of itself takes little memory.

    Raises:
        ValueError: neither a zip nor a tar.gz.
    """
    with path.open("rb") as file:
        magic = file.read(2)
    if magic == _ZIP:
        with _Listed(io.FileIO(path)) as file, zipfile.ZipFile(file) as archive:
            yield _Zip(archive)
    elif magic == _GZIP:
        with gzip.open(path) as plain:
            bounded = _Bounded(plain)
            with tarfile.open(fileobj=io.BufferedReader(bounded), mode="r|") as tar:
                yield _Tar(tar, bounded)
    else:
        raise ValueError("it is neither a zip nor a tar.gz")


class _Zip:
    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    @property
    def comment(self) -> str:
        return self._archive.comment.decode("ascii", "replace")

    def members(self) -> Iterator[Member]:
        for info in self._archive.infolist():
            # The name as it is written: Python cuts it at a zero byte, and turns Windows's
            # separators round on Windows alone.
            name = info.orig_filename
            is_folder = name.endswith("/")
            yield Member(name.removesuffix("/"), info.file_size, is_folder, _of_zip(info), info)

    def open(self, member: Member) -> IO[bytes]:
        return self._archive.open(member.handle)


def _of_zip(info: zipfile.ZipInfo) -> str:
    mode = info.external_attr >> 16
    if stat.S_ISLNK(mode):
        return "is a link"
    if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is neither a file nor a folder"
    if info.compress_type not in _COMPRESSIONS:
        return "is compressed as git compresses nothing"
    return "is encrypted" if info.flag_bits & _ENCRYPTED else ""


class _Listed(io.BufferedReader):
    """A file of which no long piece is read at once: a list of millions of members is one."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _LONGEST_LIST:
            raise ValueError(f"its list of members has {size} bytes")
        return super().read(size)


class _Tar:
    def __init__(self, archive: tarfile.TarFile, bounded: "_Bounded") -> None:
        self._archive = archive
        self._bounded = bounded

    @property
    def comment(self) -> str:
        return self._archive.pax_headers.get("comment", "")

    def members(self) -> Iterator[Member]:
        for info in self._archive:
            self._bounded.allow(max(0, info.size) + _HEADERS)
            yield Member(info.name, info.size, info.isdir(), _of_tar(info), info)

    def open(self, member: Member) -> IO[bytes]:
        stream = self._archive.extractfile(member.handle)
        if stream is None:
            raise ValueError(f"{member.name!r} has no bytes")
        return stream


def _of_tar(info: tarfile.TarInfo) -> str:
    if info.issym() or info.islnk():
        return "is a link"
    if info.issparse() or not (info.isreg() or info.isdir()):
        return "is neither a file nor a folder"
    return ""


class _Bounded(io.RawIOBase):
    """A stream that ends in an error where headers go on: tarfile takes each whole into memory."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._left = _ENDS

    def allow(self, size: int) -> None:
        """Let so many more bytes come."""
        self._left += size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._stream.read(len(buffer))
        self._left -= len(chunk)
        if self._left < 0:
            raise ValueError("more comes out of it than may, as of a bomb")
        buffer[: len(chunk)] = chunk
        return len(chunk)
