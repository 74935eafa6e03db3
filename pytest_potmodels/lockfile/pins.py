"""What a lock says of a request, of a source's answer, and of the bytes on disk."""

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import DigestMismatchError, NotLockedError, UsageError
from pytest_potmodels.lockfile.entries import Lock, LockedFile, LockedModel, ref_of
from pytest_potmodels.lockfile.matching import at_pin, meant, of_model
from pytest_potmodels.lockfile.reading import read

_log = logging.getLogger(__name__)

#: Sources whose files on disk are not those that are fetched, but what these are unpacked to.
_UNPACKED = frozenset({"pytorch_hub"})


@dataclass(frozen=True)
class Pins:
    """A lock in force, or none; `only`: nothing beyond it."""

    lock: Lock | None = None
    only: bool = False

    def bound(self, request: ModelRequest) -> ModelRequest:
        """The request at the revision that it is locked to.

        Raises:
            NotLockedError: it is beyond the lock, and nothing may be.
            UsageError: it names another revision than the lock.
        """
        if self.lock is None or request.id.source == "mock":
            return request
        same = self._of(request)
        entry = meant(request, same)
        if entry is not None:
            return at_pin(request, entry)
        if same and request.weights is None:
            raise self._another_revision(request, same)
        if self.only:
            raise self._not_locked(request)
        _log.info("%s is not in %s", request.id, self.lock.path)
        return request

    def named(self, request: ModelRequest) -> ModelRequest:
        """The request at the revision that it is locked to; as it is where the lock has none."""
        entry = self.entry(request)
        return request if entry is None else at_pin(request, entry)

    def entry(self, request: ModelRequest) -> LockedModel | None:
        """The entry that a request means, under any name of the model."""
        return meant(request, self._of(request))

    def entry_of(self, stored: StoredModel) -> LockedModel | None:
        """The entry that is of the revision of a model on disk."""
        ids = {stored.id.name, *stored.aliases}
        for entry in self.lock.models if self.lock else ():
            same = entry.source == stored.id.source and ids & entry.ids
            if same and (stored.in_place or entry.revision == stored.revision):
                return entry
        return None

    def narrowed(self, request: ModelRequest, resolved: ResolvedModel) -> ResolvedModel:
        """The files that a source names, each with the digest that the lock demands.

        Raises:
            DigestMismatchError: another commit, other files, or other digests than the lock's.
        """
        entry = self.entry(request)
        if entry is None or self.lock is None:
            return resolved
        self._same(entry, "revision", entry.revision, resolved.revision)
        locked = {file.path: file for file in entry.files}
        if resolved.id.source not in _UNPACKED:
            paths = [str(file.path) for file in resolved.files]
            self._same(entry, "files", _listed(locked), _listed(paths))
        files = []
        for file in resolved.files:
            known = locked.get(str(file.path))
            if known is None:
                files.append(file)
                continue
            self._agrees(entry, known, size=file.size, digests=file.digests)
            promised = (*file.digests, Digest("sha256", known.sha256))
            kept = tuple(dict.fromkeys(promised))
            files.append(replace(file, digests=kept, size=known.size))
        return replace(resolved, files=tuple(files))

    @contextlib.contextmanager
    def blamed(self, request: ModelRequest) -> Iterator[None]:
        """Have an error about wrong bytes name the line of the lock that demands others."""
        try:
            yield
        except DigestMismatchError as error:
            entry = self.entry(request)
            for file in entry.files if entry is not None else ():
                if entry is not None and error.expected.endswith(file.sha256):
                    raise DigestMismatchError(
                        f"{error.message} It is {self._where(file)} that expects this.",
                        expected=error.expected,
                        found=error.found,
                        remedy=_remedy(entry),
                    ) from error
            raise

    def agreed(self, request: ModelRequest, files: Sequence[StoredFile]) -> None:
        """Raise where files that came are not among those of the lock, as of their digests.

        Raises:
            DigestMismatchError: other bytes, or a file that the lock does not have.
        """
        entry = self.entry(request)
        if entry is None:
            return
        locked = {file.path: file for file in entry.files}
        for file in files:
            if file.path not in locked:
                raise self._unknown(entry, file)
            if locked[file.path].sha256 != file.sha256:
                raise self._mismatch(entry, locked[file.path], f"sha256 {file.sha256}")

    def checked(self, request: ModelRequest, stored: StoredModel) -> StoredModel:
        """The model on disk, if it is what the lock says.

        Raises:
            DigestMismatchError: other files or other bytes.
        """
        entry = self.entry(request)
        if entry is not None:
            self.compare(entry, stored)
        return stored

    def compare(self, entry: LockedModel, stored: StoredModel) -> None:
        """Raise where a model on disk is not what an entry says; as of its own records.

        Raises:
            DigestMismatchError: other files or other bytes.
        """
        if not stored.in_place:
            self._same(entry, "revision", entry.revision, stored.revision)
        found = {file.path: file for file in stored.files}
        locked = {file.path: file for file in entry.files}
        self._same(entry, "files", _listed(locked), _listed(found))
        for path, file in locked.items():
            if found[path].sha256 != file.sha256:
                raise self._mismatch(entry, file, f"sha256 {found[path].sha256}", stored)
            if found[path].size != file.size:
                raise self._mismatch(entry, file, f"{found[path].size} bytes", stored)

    def _of(self, request: ModelRequest) -> list[LockedModel]:
        return of_model(request, self.lock.models if self.lock else ())

    def _agrees(
        self, entry: LockedModel, locked: LockedFile, *, size: int | None, digests: Sequence[Digest]
    ) -> None:
        """Before a byte moves: what upstream promises must be what the lock demands."""
        for digest in digests:
            whole = digest.algorithm in ("sha256", "sha256-prefix")
            if whole and not locked.sha256.startswith(digest.value):
                raise self._mismatch(entry, locked, f"{digest.algorithm} {digest.value} upstream")
        if size is not None and size != locked.size:
            raise self._mismatch(entry, locked, f"{size} bytes upstream")

    def _same(self, entry: LockedModel, what: str, locked: str | None, found: str | None) -> None:
        if locked == found:
            return
        raise DigestMismatchError(
            f"{entry}: {self._where(entry)} has the {what} {locked or 'none'}, "
            f"found {found or 'none'}.",
            expected=locked or "",
            found=found or "",
            remedy=_remedy(entry),
        )

    def _mismatch(
        self, entry: LockedModel, file: LockedFile, found: str, stored: StoredModel | None = None
    ) -> DigestMismatchError:
        place = f" of {stored.path / file.path}" if stored else ""
        size = found.endswith((" bytes", " bytes upstream"))
        expected = f"{file.size} bytes" if size else f"sha256 {file.sha256}"
        return DigestMismatchError(
            f"{entry}: digest mismatch in {file.path}: {self._where(file)} has {expected}, "
            f"found {found}{place}.",
            expected=expected,
            found=found,
            remedy=_remedy(entry),
        )

    def _unknown(self, entry: LockedModel, file: StoredFile) -> DigestMismatchError:
        return DigestMismatchError(
            f"{entry}: {self._where(entry)} has no file {file.path}, found one.",
            expected="no such file",
            found=f"sha256 {file.sha256}",
            remedy=_remedy(entry),
        )

    def _where(self, part: LockedModel | LockedFile) -> str:
        return self.lock.where(part) if self.lock else ""

    def _another_revision(self, request: ModelRequest, same: Sequence[LockedModel]) -> UsageError:
        pins = " and ".join(
            f"{entry.ref or 'it'} to {entry.revision} ({self._where(entry)})" for entry in same
        )
        asked = request.id.revision or ref_of(request.id) or "the default"
        plain = replace(request.id, revision=None)
        return UsageError(
            f"{request.asked!r} names the revision {asked} of {plain}; the lock pins {pins}.",
            remedy=f"drop the revision, or pin this one, too: potmodels lock {request.asked}",
        )

    def _not_locked(self, request: ModelRequest) -> NotLockedError:
        path: Path | str = self.lock.path if self.lock else ""
        return NotLockedError(
            f"{request.id} is not in {path}, and nothing beyond it may be used.",
            remedy=f"potmodels lock {request.asked}",
        )


def open_pins(path: Path | None, *, only: bool) -> Pins:
    """The pins of the lock file that is in force.

    Raises:
        UsageError: it is named and not there, or cannot be read; or nothing may be used beyond a
            lock that there is not.
    """
    if path is None and only:
        raise UsageError(
            "Nothing may be used beyond the lock (locked), and there is no lock file.",
            remedy="make it: potmodels lock --from-tests; or name it: --pot-lock FILE",
        )
    return Pins(read(path) if path is not None else None, only=only)


def _listed(paths: object) -> str:
    return ", ".join(sorted(map(str, paths)))  # type: ignore[call-overload]


def _remedy(entry: LockedModel) -> str:
    name = entry.names[0] if entry.names else str(entry)
    again = {
        "file": "restore the files",
        "lut": "restore the files, or install the pytest-potmodels that they came with",
        "package": f"install the version {entry.revision} of the package",
    }
    right = again.get(entry.source, f"potmodels download --force {name}")
    return f"if the lock is right: {right}; if the change is meant: potmodels lock --update {name}"
