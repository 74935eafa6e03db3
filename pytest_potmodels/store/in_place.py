"""Models used where they lie (an installed package, a user's folder): digests, but no copy."""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import DigestMismatchError, Reason, StoreError, UnavailableError
from pytest_potmodels.store import manifest, signatures
from pytest_potmodels.store.layout import Layout, in_place_name
from pytest_potmodels.store.signatures import Signature

_log = logging.getLogger(__name__)


class InPlace:
    """One model in a folder that is not ours, and what was recorded of it."""

    def __init__(self, resolved: ResolvedModel, folder: Path, layout: Layout) -> None:
        name = in_place_name(resolved.id, folder)
        self._resolved = resolved
        self._folder = folder
        self._record, self._marks_file = layout.in_place(name), layout.signatures(name)
        self._known = _known(self._record, folder)
        self._marks = signatures.read(self._marks_file)
        self._sha256 = {file.path: file.sha256 for file in self._known.files} if self._known else {}

    def unchanged(self) -> StoredModel | None:
        """The model, if all of its record still holds by the stat signatures; else None."""
        if self._known is None or not all(map(self._is_untouched, self._resolved.files)):
            return None
        described = self._described(self._recorded)
        return described if described == self._known else None

    def take(self) -> StoredModel:
        """Hash the files that changed and put the model on record; a new version is reported.

        Raises:
            UnavailableError: NOT_LOADABLE; a file cannot be read.
        """
        started = time.time_ns()
        marks = {str(file.path): self._mark(file) for file in self._resolved.files}
        taken = self._described(self._recorded_or_hashed)
        if self._known is not None and self._known.digest != taken.digest:
            _log.warning(
                "%s changed on disk: digest %s is now %s",
                taken.id,
                self._known.digest,
                taken.digest,
            )
        # A read-only cache keeps no record: the files are hashed again in the next process.
        with suppress(OSError):
            manifest.write(taken, self._record)
        settled = {
            path: mark
            for path, mark in marks.items()
            if mark is not None and signatures.is_settled(mark, at_ns=started)
        }
        signatures.write(self._marks_file, settled)
        return taken

    def _described(self, sha256_of: Callable[[RemoteFile], StoredFile]) -> StoredModel:
        resolved = self._resolved
        files = sorted(map(sha256_of, resolved.files), key=lambda file: file.path)
        return StoredModel(
            id=resolved.id,
            path=self._folder,
            kind=resolved.kind,
            format=resolved.format,
            files=tuple(files),
            revision=resolved.revision,
            refs=("",),
            architecture=resolved.architecture,
            origin=resolved.origin,
            license=resolved.license,
            in_place=True,
        )

    def _recorded(self, file: RemoteFile) -> StoredFile:
        path = str(file.path)
        return StoredFile(path, self._marks[path][0], self._sha256[path], file.url)

    def _recorded_or_hashed(self, file: RemoteFile) -> StoredFile:
        if self._is_untouched(file):
            return self._recorded(file)
        try:
            hasher = hash_file(self._folder / file.path)
        except OSError as error:
            raise UnavailableError(
                f"{self._resolved.id}: {self._folder / file.path} cannot be read: "
                f"{error.strerror}.",
                reason=Reason.NOT_LOADABLE,
                remedy="make the file readable",
            ) from error
        return StoredFile(str(file.path), hasher.size, hasher.sha256, file.url)

    def _is_untouched(self, file: RemoteFile) -> bool:
        path = str(file.path)
        mark = self._mark(file)
        return path in self._sha256 and mark is not None and self._marks.get(path) == mark

    def _mark(self, file: RemoteFile) -> Signature | None:
        with suppress(OSError):
            return signatures.signature(self._folder / file.path)
        return None


def _known(record: Path, folder: Path) -> StoredModel | None:
    try:
        known = manifest.read_record(record)
    except (FileNotFoundError, DigestMismatchError, StoreError):
        return None
    return known if known.path == folder else None
