"""A model on disk: found, used where it lies, or brought and mended; nothing is loaded here."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel, StoredModel
from pytest_potmodels.errors import (
    DigestMismatchError,
    Reason,
    StoreError,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.sources import Source, SourceContext, open_source
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.checking import mismatch
from pytest_potmodels.store.mending import Fetch
from pytest_potmodels.transfer import Deadline

if TYPE_CHECKING:
    from pytest_potmodels.transfer.fetch import Transfer

_log = logging.getLogger(__name__)

#: What is wrong with the bytes or the manifest of an entry, if anything is.
_Trouble = DigestMismatchError | None
#: Sources whose models need no network and no copy.
_WHERE_IT_LIES = frozenset({"package", "file", "mock"})


class Acquiring:
    """The steps from a request to verified files, over one store and one network policy."""

    def __init__(self, settings: Settings, store: ModelStore, transfer: "Transfer") -> None:
        self.settings = settings
        self.store = store
        self.transfer = transfer

    def acquire(self, request: ModelRequest, *, again: bool = False) -> StoredModel:
        """Have the model on disk, verified; no request is made for one that is there.

        With `again`, its revision is resolved anew and its files are fetched anew.

        Raises:
            UnavailableError: it cannot be had; `.reason` says why.
            DigestMismatchError: its bytes are wrong and could not be mended.
            StoreError: the cache folder is full, read-only, or held by another process.
        """
        self._reject_disabled(request)
        if request.id.source in _WHERE_IT_LIES:
            return self._where_it_lies(request)
        stored, trouble = self._look(request)
        if stored is not None and trouble is None and not again:
            return stored
        if stored is None and trouble is None and self.settings.closed_by:
            raise self._not_cached(request)
        with _never_substituted(trouble):
            return self._bring_or_mend(request, again=again)

    def resolve(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel:
        """Ask the source which files, from where, with which digests."""
        return self._source(request).resolve(request.id, request, deadline)

    def _source(self, request: ModelRequest) -> Source:
        context = SourceContext(
            transfer=self.transfer,
            endpoint=self.settings.hub_endpoint,
            root=self.settings.root,
        )
        return open_source(request.id.source, context)

    def _where_it_lies(self, request: ModelRequest) -> StoredModel:
        resolved = self.resolve(request, self._deadline())
        if resolved.in_place is None:
            return StoredModel(
                resolved.id, Path(), resolved.kind, resolved.format, (), resolved.revision
            )
        return self.store.take_in_place(resolved, resolved.in_place)

    def _look(self, request: ModelRequest) -> tuple[StoredModel | None, _Trouble]:
        """The entry, and what is wrong with it; its bytes are hashed where a stat changed."""
        try:
            stored = self.store.find(request.id)
        except DigestMismatchError as error:
            return None, error
        return stored, self._trouble(stored) if stored is not None else None

    def _trouble(self, stored: StoredModel) -> _Trouble:
        bad = self.store.verify(stored, whole=False)
        return mismatch(stored, bad[0]) if bad else None

    def _bring_or_mend(self, request: ModelRequest, *, again: bool) -> StoredModel:
        deadline = self._deadline()
        with self.store.locked(request.id, timeout=deadline.remaining()):
            # Another process may have brought or mended it while this one waited.
            stored, trouble = self._look(request)
            with _never_substituted(trouble):
                if stored is None or again:
                    return self._bring(request, deadline, again=again)
                return stored if trouble is None else self._mended(stored, request, deadline)

    def _bring(self, request: ModelRequest, deadline: Deadline, *, again: bool) -> StoredModel:
        resolved = self.resolve(request, deadline)
        _log.info("fetching %s (%s)", request.id, resolved.revision or "unpinned")
        fetch = self._fetch(request, deadline)
        stored = self.store.admit(resolved, fetch, timeout=deadline.remaining(), again=again)
        trouble = None if stored.fresh else self._trouble(stored)
        if trouble is None:
            return stored
        with _never_substituted(trouble):
            return self._mended(stored, request, deadline)

    def _mended(
        self, stored: StoredModel, request: ModelRequest, deadline: Deadline
    ) -> StoredModel:
        try:
            fetch = self._fetch(request, deadline)
            mended = self.store.mend(stored, fetch, timeout=deadline.remaining())
        except UnavailableError as error:
            return self._brought_anew(stored, request, deadline, error)
        return replace(stored, fresh=bool(mended))

    def _brought_anew(
        self,
        stored: StoredModel,
        request: ModelRequest,
        deadline: Deadline,
        failure: UnavailableError,
    ) -> StoredModel:
        """Resolve the revision anew: the recorded addresses may be of a mirror that is gone."""
        pinned = replace(request, id=replace(request.id, revision=stored.revision))
        try:
            return self._bring(pinned, deadline, again=True)
        except (UnavailableError, UsageError):
            raise failure from None

    def _fetch(self, request: ModelRequest, deadline: Deadline) -> Fetch:
        return partial(self.transfer.fetch_all, deadline=deadline, model=request.asked)

    def _not_cached(self, request: ModelRequest) -> UnavailableError:
        return UnavailableError(
            f"{request.id} is not in the cache {self.store.layout.root}, and the network is "
            f"closed by {self.settings.closed_by}.",
            reason=Reason.NOT_CACHED,
            remedy=f"once, with the network open: potmodels download {request.asked}",
        )

    def _reject_disabled(self, request: ModelRequest) -> None:
        where = self.settings.disabled_sources.get(request.id.source)
        if where:
            raise UsageError(
                f"{request.asked!r} needs the source {request.id.source}, disabled in {where}.",
                remedy="set `enabled: true` there",
            )

    def _deadline(self) -> Deadline:
        return Deadline(self.settings.timeout)


@contextlib.contextmanager
def _never_substituted(trouble: _Trouble) -> Iterator[None]:
    """Wrong bytes that cannot be mended stay an error of their own, whatever is in the way.

    Raises:
        DigestMismatchError: in place of the errors that a mock may answer.
    """
    try:
        yield
    except (UnavailableError, StoreError) as error:
        if trouble is None:
            raise
        raise DigestMismatchError(
            f"{trouble.message} It could not be fetched again: {error.message}",
            expected=trouble.expected,
            found=trouble.found,
            remedy=trouble.remedy,
        ) from error
