"""A file while it arrives: `<name>.part`, hashed as it grows, renamed when it is right."""

import contextlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.digests import FileHasher, hash_file, read_chunks
from pytest_potmodels.transfer import disk
from pytest_potmodels.transfer.failures import WrongBytesError
from pytest_potmodels.transfer.places import PART
from pytest_potmodels.transfer.urls import without_secrets

#: Beside the part: which version of the file it is of, where no digest will tell.
_TAG = ".tag"


class PartFile:
    """The bytes of one file that are here so far; `size` of them are hashed."""

    def __init__(self, file: RemoteFile, target: Path) -> None:
        self._file = file
        self._target = target
        self._part = target.with_name(target.name + PART)
        self._tag = self._part.with_name(self._part.name + _TAG)
        self._hasher = self._fresh_hasher()
        self._validator = ""

    @property
    def size(self) -> int:
        """Bytes on disk, all of them hashed."""
        return self._hasher.size

    @property
    def validator(self) -> str:
        """The entity tag or date of the version these bytes are of; "" if unknown."""
        return self._validator

    @property
    def resumable(self) -> bool:
        """Whether the rest may be asked for: else two versions could be joined unnoticed."""
        return bool(self._file.digests or self._validator)

    def finished_before(self) -> StoredFile | None:
        """The file that a killed run had finished, if it still is what was promised."""
        with self._guarded():
            if self._target.is_symlink() or not self._target.is_file():
                return None
            hasher = hash_file(self._target, self._file.digests)
            if hasher.mismatches() or self._file.size not in (None, hasher.size):
                self._target.unlink()
                return None
        return self._stored(hasher)

    def missing(self) -> int:
        """Bytes that are still to come, as far as anybody has said."""
        with self._guarded():
            present = self._part.stat().st_size if self._part.is_file() else 0
        return max(0, (self._file.size or self._file.size_hint or 0) - present)

    def take_up(self) -> None:
        """Hash what a killed run left; forget it if it cannot be the beginning of this file."""
        with self._guarded():
            if self._part.is_symlink() or not self._usable():
                self.discard()
                return
            for chunk in read_chunks(self._part):
                self._hasher.update(chunk)

    def discard(self) -> None:
        """Start from the first byte again."""
        self._hasher = self._fresh_hasher()
        self._validator = ""
        self._part.unlink(missing_ok=True)
        self._tag.unlink(missing_ok=True)

    def make_room(self, total: int) -> None:
        """Pass if the disk has room for the rest of `total` bytes.

        Raises:
            StoreError: it has not.
        """
        with self._guarded():
            self._target.parent.mkdir(parents=True, exist_ok=True)
            disk.check_room(self._target.parent, total - self.size)

    @contextlib.contextmanager
    def appending(self, validator: str) -> Iterator[FileIO]:
        """Open for more bytes of the version that `validator` names."""
        with self._guarded():
            self._target.parent.mkdir(parents=True, exist_ok=True)
            if not self._file.digests and validator != self._validator:
                self._tag.write_text(validator, encoding="utf-8")
            self._validator = validator
            stream = self._part.open("ab", buffering=0)
        with stream:
            yield stream

    def append(self, stream: FileIO, chunk: bytes) -> None:
        """Write and hash the next bytes.

        Raises:
            StoreError: the disk is full (the part is removed), or fails.
        """
        with self._guarded():
            try:
                _write_all(stream, chunk)
            except OSError:
                stream.close()  # Windows deletes no open file
                raise
        self._hasher.update(chunk)

    def finish(self) -> StoredFile:
        """Check all bytes against all promises, then give the file its name.

        Raises:
            WrongBytesError: a promise does not hold.
        """
        if self._file.size not in (None, self.size):
            raise WrongBytesError(f"{self._file.size} bytes", f"{self.size} bytes")
        with self._guarded():
            self._target.parent.mkdir(parents=True, exist_ok=True)
            self._part.touch()  # an empty file was never opened
            hasher = self._hasher
            if self._file.size is None and self._file.digests:
                # git's blob id begins with the size, which only the end has told.
                hasher = hash_file(self._part, self._file.digests)
            for expected, found in hasher.mismatches():
                raise WrongBytesError(str(expected), str(found))
            self._tag.unlink(missing_ok=True)
            self._part.replace(self._target)
        return self._stored(hasher)

    def _usable(self) -> bool:
        if not self._part.is_file():
            return False
        if self._file.size is not None and self._part.stat().st_size > self._file.size:
            return False
        if not self._file.digests and self._tag.is_file():
            self._validator = self._tag.read_text(encoding="utf-8")
        return self.resumable

    def _stored(self, hasher: FileHasher) -> StoredFile:
        url = without_secrets(self._file.url)
        return StoredFile(str(self._file.path), hasher.size, hasher.sha256, url)

    def _fresh_hasher(self) -> FileHasher:
        return FileHasher(self._file.digests, self._file.size)

    def _guarded(self) -> contextlib.AbstractContextManager[None]:
        return disk.guarded(self._part, when_full=self.discard)


def _write_all(stream: FileIO, chunk: bytes) -> None:
    view = memoryview(chunk)
    while view:  # an unbuffered write may take less than it is given
        view = view[stream.write(view) :]
