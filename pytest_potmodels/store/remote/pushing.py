"""A stored model into a remote: the objects that are not there, the manifest, then the refs."""

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Literal

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.digests import FileHasher
from pytest_potmodels.errors import DigestMismatchError, UsageError
from pytest_potmodels.store.plain_json import LARGEST
from pytest_potmodels.store.remote import records
from pytest_potmodels.store.remote.folder import Folder
from pytest_potmodels.store.remote.layout import MARKER, manifest_name, object_name, ref_name

_log = logging.getLogger(__name__)

#: Bytes of an object that are read at once where it is hashed.
_BLOCK = 8 << 20
#: An object in a remote: as it should be, absent, or other bytes under that name.
State = Literal["there", "absent", "wrong"]


@dataclass(frozen=True)
class Pushed:
    """What a push moved, or would move."""

    objects: int = 0
    size: int = 0
    #: Objects that had other bytes than their name says.
    replaced: tuple[str, ...] = ()
    manifest: bool = False
    #: Refs that were written, `NAME@REF`.
    refs: tuple[str, ...] = ()

    @property
    def is_nothing(self) -> bool:
        """Whether all was there."""
        return not (self.objects or self.manifest or self.refs)


@dataclass(frozen=True)
class How:
    """How to push: look only; hash what is there; how many objects at once."""

    dry_run: bool = False
    verify: bool = False
    jobs: int = 4


class Pushing:
    """Writes to a remote. Two that push one model write the same bytes under the same names."""

    def __init__(self, folder: Folder, how: How) -> None:
        self._folder = folder
        self._how = how

    def push(self, stored: StoredModel) -> Pushed:
        """Have a model in the remote, whose files were verified just now.

        Raises:
            UnavailableError: the remote does not answer, or does not take it.
            DigestMismatchError: it has other files under the model's revision.
            UsageError: what is there is no remote of this layout.
        """
        self._check_marker()
        stored = _under_one_name(stored)
        name = manifest_name(stored.id, stored.revision, stored.digest)
        manifest = not self._has_manifest(stored, name)
        states = self._objects(stored)
        if manifest and not self._how.dry_run:
            self._folder.write(name, records.write_manifest(stored))
        lacking = {sha256: file for sha256, (file, state) in states.items() if state != "there"}
        return Pushed(
            objects=len(lacking),
            size=sum(file.size for file in lacking.values()),
            replaced=tuple(
                object_name(sha256) for sha256, (_, state) in states.items() if state == "wrong"
            ),
            manifest=manifest,
            refs=tuple(self._refs(stored)),
        )

    def _check_marker(self) -> None:
        data = self._folder.read(MARKER, 0, LARGEST)
        if data is None:
            if not self._how.dry_run:
                self._folder.write(MARKER, records.marker())
            return
        try:
            records.check_marker(data)
        except records.UNREADABLE as error:
            raise UsageError(
                f"{self._folder.name} is no remote of this version: {MARKER}: {error}.",
                remedy="push to another prefix, or with the version that made it",
            ) from None

    def _has_manifest(self, stored: StoredModel, name: str) -> bool:
        data = self._folder.read(name, 0, LARGEST + 1)
        if data is None:
            return False
        own = stored.id.name
        wanted = records.Ref(own, "", own, stored.revision, stored.digest)
        try:
            records.read_manifest(data, wanted, stored.id.source)
        except (*records.UNREADABLE, UsageError) as error:
            raise DigestMismatchError(
                f"{stored.id}: the remote {self._folder.name} has another {name}: {error}.",
                expected=f"digest {stored.digest}",
                found=str(error),
                remedy=f"take it anew: potmodels download --force {stored.id}; if the remote is "
                "wrong, delete that file there",
            ) from None
        return True

    def _objects(self, stored: StoredModel) -> dict[str, tuple[StoredFile, State]]:
        """What the remote had of the files, by sha256; it has them all now."""
        # Empty files need no object: their bytes are known.
        files = {file.sha256: file for file in stored.files if file.size}
        order = sorted(files.values(), key=lambda file: file.size, reverse=True)
        with ThreadPoolExecutor(self._how.jobs, thread_name_prefix="potmodels-push") as pool:
            try:
                states = list(pool.map(lambda file: self._object(stored, file), order))
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        return {file.sha256: (file, state) for file, state in zip(order, states, strict=True)}

    def _object(self, stored: StoredModel, file: StoredFile) -> State:
        name = object_name(file.sha256)
        state = self._state(file, name)
        if state == "wrong":
            _log.warning(
                "%s in the remote %s is not what its name says%s",
                *(name, self._folder.name, "" if self._how.dry_run else "; it is replaced"),
            )
        if state != "there" and not self._how.dry_run:
            self._folder.upload(stored.path / file.path, name)
        return state

    def _state(self, file: StoredFile, name: str) -> State:
        size = self._folder.size(name)
        if size is None:
            return "absent"
        if size != file.size:
            return "wrong"
        return "there" if not self._how.verify or self._is_right(file, name) else "wrong"

    def _is_right(self, file: StoredFile, name: str) -> bool:
        hasher = FileHasher((), file.size)
        while hasher.size < file.size:
            block = self._folder.read(name, hasher.size, min(hasher.size + _BLOCK, file.size))
            if not block:
                return False
            hasher.update(block)
        return hasher.sha256 == file.sha256

    def _refs(self, stored: StoredModel) -> Iterator[str]:
        """Write what leads to the manifest: each name with each ref, and with the revision."""
        revisions = {stored.revision} if stored.revision else {""}
        for asked in (stored.id.name, *stored.aliases):
            for ref in sorted({*stored.refs, *revisions}):
                wanted = records.Ref(asked, ref, stored.id.name, stored.revision, stored.digest)
                if self._pointed(stored, wanted):
                    yield f"{asked}@{ref or '(default)'}"

    def _pointed(self, stored: StoredModel, wanted: records.Ref) -> bool:
        """Have a ref lead to the manifest; whether it did not."""
        name = ref_name(replace(stored.id, name=wanted.asked), wanted.ref)
        data = self._folder.read(name, 0, LARGEST + 1)
        if data == records.write_ref(wanted):
            return False
        if data is not None:
            _log.warning("%s in the remote %s leads elsewhere%s", name, self._folder.name,
                         "" if self._how.dry_run else "; it is moved")  # fmt: skip
        if not self._how.dry_run:
            self._folder.write(name, records.write_ref(wanted))
        return True


def _under_one_name(stored: StoredModel) -> StoredModel:
    """The model under its name with an organisation, whichever it was first asked for by."""
    names = (stored.id.name, *stored.aliases)
    full = [name for name in names if "/" in name]
    if stored.id.source != "huggingface" or not full:
        return stored
    others = tuple(name for name in names if name != full[0])
    return replace(stored, id=replace(stored.id, name=full[0]), aliases=others)
