"""A model from a remote: its manifest in place of the source's answer, its objects as files."""

import contextlib
import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pytest_potmodels.artifacts import ModelRequest, RemoteFile, ResolvedModel, StoredModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import (
    DigestMismatchError,
    MissingPackageError,
    PotModelsError,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.identifiers import REVISIONED
from pytest_potmodels.store.entries import ref_of
from pytest_potmodels.store.plain_json import LARGEST
from pytest_potmodels.store.remote import records
from pytest_potmodels.store.remote.folder import Folder
from pytest_potmodels.store.remote.layout import (
    HELD,
    MARKER,
    manifest_name,
    object_name,
    ref_name,
)

_log = logging.getLogger(__name__)


class LackingError(Exception):
    """A remote named a model and could not give all of its files."""

    def __init__(self, troubles: Sequence[PotModelsError]) -> None:
        super().__init__("; ".join(trouble.message for trouble in troubles))
        #: The object whose bytes are wrong, if there is one: then this is no mere absence.
        self.wrong = next((e for e in troubles if isinstance(e, DigestMismatchError)), None)


class Pulling:
    """What a remote has of a model. Whatever is wrong with it is said, and the source is asked."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder

    def find(self, request: ModelRequest) -> ResolvedModel | None:
        """The files of a model as the remote's manifest names them; None if it has none.

        Raises:
            MissingPackageError: a package for the remote's scheme is not installed.
        """
        if request.id.source not in HELD or not self._folder.is_open:
            return None
        try:
            stored = self._stored(request)
        except MissingPackageError:
            raise
        except UnavailableError as error:
            _log.warning("%s Going on without it.", error.message)
            return None
        if stored is None or not _is_promised(request, stored):
            return None
        _log.info("%s is in the remote %s", request.id, self._folder.name)
        return _resolved(request, stored, self._folder.name)

    def supply(self, files: Sequence[RemoteFile], stage: Path, model: str) -> None:
        """Put files into the stage, verified.

        Raises:
            LackingError: it does not have them all, or not right; those it has are there.
        """
        troubles = self._folder.fetch(dict(_named(files)), stage, model=model)
        for trouble in troubles.values():
            _log.warning("%s", trouble.message)
        if troubles:
            raise LackingError(tuple(troubles.values()))

    def lend(self, files: Sequence[RemoteFile], stage: Path, model: str) -> None:
        """Put what it has of some files into the stage: those of a model that is mended.

        Raises:
            MissingPackageError: a package for the remote's scheme is not installed.
        """
        with contextlib.suppress(LackingError):
            if self._folder.is_open:
                self.supply(files, stage, model)

    def _stored(self, request: ModelRequest) -> StoredModel | None:
        model_id, ref = request.id, ref_of(request.id)
        name = ref_name(model_id, ref)
        data = self._folder.read(name, 0, LARGEST + 1)
        if data is None:
            self._look_around()
            return None
        try:
            wanted = records.read_ref(data, model_id.name, ref)
            name = manifest_name(
                replace(model_id, name=wanted.name), wanted.revision, wanted.digest
            )
            data = self._folder.read(name, 0, LARGEST + 1)
            if data is None:
                raise ValueError("it is not there, though a ref leads to it")
            return records.read_manifest(data, wanted, model_id.source)
        except (*records.UNREADABLE, UsageError) as error:
            _log.warning(
                "%s in the remote %s is refused: %s: %s. Going on without it.",
                *(name, self._folder.name, type(error).__name__, error),
            )
            return None

    def _look_around(self) -> None:
        """Say once that a remote without a model may be none at all."""
        if not self._folder.first_time("was looked at"):
            return
        if self._folder.read(MARKER, 0, LARGEST) is None:
            _log.warning(
                "there is no %s in %s: nothing was pushed to this remote yet, or its address is "
                "not right", MARKER, self._folder.name,
            )  # fmt: skip


def at_remote(request: ModelRequest, resolved: ResolvedModel) -> ModelRequest:
    """The request for what the remote's manifest names, as its source can be asked for it."""
    if request.id.source in REVISIONED:
        return replace(request, id=replace(request.id, revision=resolved.revision))
    (digest, *_) = (d.value for d in resolved.files[0].digests if d.algorithm == "sha256")
    return replace(request, sha256=digest)


def _is_promised(request: ModelRequest, stored: StoredModel) -> bool:
    """Whether these are the bytes that were promised of a URL, if any were."""
    found = {file.sha256 for file in stored.files}
    if request.sha256 is None or request.sha256 in found:
        return True
    _log.warning(
        "%s: the remote has other bytes than are asked for (sha256 %s)", request.id, request.sha256
    )
    return False


def _resolved(request: ModelRequest, stored: StoredModel, remote: str) -> ResolvedModel:
    return ResolvedModel(
        id=request.id,
        kind=request.kind if request.id.source == "huggingface" else stored.kind,
        format=stored.format,
        files=tuple(
            RemoteFile(
                path=PurePosixPath(file.path),
                url=file.url,
                size=file.size,
                digests=(Digest("sha256", file.sha256),),
            )
            for file in stored.files
        ),
        revision=stored.revision,
        aliases=_canonical(request, stored),
        architecture=stored.architecture,
        origin=stored.origin,
        license=stored.license,
        gated=stored.gated,
        label=request.label,
        remote=remote,
    )


def _canonical(request: ModelRequest, stored: StoredModel) -> tuple[str, ...]:
    """The name with an organisation, for a request by the old one: the cache locks it second."""
    if request.id.source != "huggingface" or "/" in request.id.name:
        return ()
    return (stored.id.name,) if "/" in stored.id.name else ()


def _named(files: Iterable[RemoteFile]) -> Iterable[tuple[RemoteFile, str]]:
    for file in files:
        sha256 = next((d.value for d in file.digests if d.algorithm == "sha256"), None)
        if sha256 is not None and file.size is not None:
            yield file, object_name(sha256)
