"""Digests of files, computed while bytes stream by."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Algorithm = Literal["sha256", "sha256-prefix", "git-sha1"]

#: Large enough to keep the hash busy, small enough to stay in the second-level cache.
CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Digest:
    """What an upstream promises about a file.

    `sha256-prefix` is torchvision's: the first hex digits, part of the file name.
    `git-sha1` is git's blob id: sha1 over "blob", the size, a zero byte and the bytes.
    """

    algorithm: Algorithm
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value}"


class FileHasher:
    """Hash one file as it streams: always sha256, and git's blob id where that is promised."""

    def __init__(self, expected: Iterable[Digest], size: int | None) -> None:
        self._expected = tuple(expected)
        self._sha256 = hashlib.sha256()
        self._git = _git_blob(size) if self._wants_git() and size is not None else None
        self.size = 0

    def update(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes."""
        self._sha256.update(chunk)
        if self._git is not None:
            self._git.update(chunk)
        self.size += len(chunk)

    @property
    def sha256(self) -> str:
        """The sha256 of what was seen so far, in hex."""
        return self._sha256.hexdigest()

    def mismatches(self) -> list[tuple[Digest, Digest]]:
        """Each promise that does not hold, as (expected, found)."""
        pairs = [(promise, self._found(promise)) for promise in self._expected]
        return [(promise, found) for promise, found in pairs if found.value != promise.value]

    def _found(self, promise: Digest) -> Digest:
        if promise.algorithm == "git-sha1":
            # Without the size beforehand a blob id cannot be streamed; "" never matches.
            return Digest("git-sha1", self._git.hexdigest() if self._git else "")
        return Digest(promise.algorithm, self.sha256[: len(promise.value)])

    def _wants_git(self) -> bool:
        return any(promise.algorithm == "git-sha1" for promise in self._expected)


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...
    def hexdigest(self) -> str: ...


def _git_blob(size: int) -> _Hash:
    blob = hashlib.sha1(usedforsecurity=False)
    blob.update(b"blob %d\0" % size)
    return blob


def hash_file(path: Path, expected: Iterable[Digest] = ()) -> FileHasher:
    """Hash a whole file; read `.sha256`, `.size` and `.mismatches()` off the result."""
    hasher = FileHasher(expected, path.stat().st_size)
    for chunk in read_chunks(path):
        hasher.update(chunk)
    return hasher


def read_chunks(path: Path) -> Iterator[memoryview]:
    """Yield a file's bytes in chunks, through one buffer that is reused."""
    buffer = bytearray(CHUNK_BYTES)
    view = memoryview(buffer)
    with path.open("rb", buffering=0) as stream:
        while count := stream.readinto(buffer):
            yield view[:count]


def digest_of_files(sha256_by_path: Mapping[str, str]) -> str:
    """One sha256 for a folder: over its sorted lines `<sha256>  <path>`, as of sha256sum."""
    lines = (f"{sha256_by_path[path]}  {path}\n" for path in sorted(sha256_by_path))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
