"""A model on disk: found, used where it lies, or brought and mended; nothing is loaded here."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels.artifacts import ModelRequest, Repository, ResolvedModel, StoredModel
from pytest_potmodels.errors import (
    DigestMismatchError,
    Reason,
    StoreError,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.lockfile.pins import Pins, open_pins
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.sources import Source, SourceContext, by_url, open_source
from pytest_potmodels.sources.base import Describer
from pytest_potmodels.sources.finishing import Finished, comes_whole
from pytest_potmodels.store.adoption import Adoption
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.checking import mismatch
from pytest_potmodels.store.mending import Fetch
from pytest_potmodels.store.remote.asking import Remote
from pytest_potmodels.store.remote.pulling import LackingError, at_remote
from pytest_potmodels.store.supplying import Supplied, Supply
from pytest_potmodels.store.tidying import tidy
from pytest_potmodels.transfer import Deadline

if TYPE_CHECKING:
    from pytest_potmodels.transfer.fetch import Transfer

_log = logging.getLogger(__name__)

#: What is wrong with the bytes or the manifest of an entry, if anything is.
_Trouble = DigestMismatchError | None
#: Sources whose models need no network and no copy.
_WHERE_IT_LIES = frozenset({*IN_PLACE, "mock"})


@dataclass(frozen=True)
class _Errand:
    """A model to bring, and until when."""

    request: ModelRequest
    deadline: Deadline
    #: Whether its source is asked and all of it downloaded, whatever is at hand.
    again: bool = False
    #: The entry that is there already.
    before: StoredModel | None = None
    #: The entry whose bytes have to come again, and no others.
    same_as: StoredModel | None = None


class Acquiring:
    """The steps from a request to verified files, over one store and one network policy."""

    def __init__(self, settings: Settings, store: ModelStore, transfer: "Transfer") -> None:
        self.settings = settings
        self.store = store
        self.transfer = transfer
        self.remote = Remote(settings.remote, transfer.remote)

    @cached_property
    def pins(self) -> Pins:
        """What the lock file says that is in force."""
        return open_pins(self.settings.lock, only=self.settings.locked)

    def acquire(self, request: ModelRequest, *, again: bool = False) -> StoredModel:
        """Have the model on disk, verified; no request is made for one that is there.

        With `again`, its revision is resolved anew and its files are fetched anew.

        Raises:
            UnavailableError: it cannot be had; `.reason` says why.
            DigestMismatchError: its bytes are wrong and could not be mended.
            StoreError: the cache folder is full, read-only, or held by another process.
        """
        self._reject_disabled(request)
        request = self.pins.bound(request)
        with self.pins.blamed(request):
            stored = self._acquired(request, again=again)
        return self.pins.checked(request, stored)

    def _acquired(self, request: ModelRequest, *, again: bool) -> StoredModel:
        if request.id.source in _WHERE_IT_LIES:
            return self._where_it_lies(request)
        stored, trouble = self._look(request)
        if stored is not None and trouble is None and not again:
            return by_url.checked(request, stored)
        if stored is None and trouble is None and self.settings.closed_by:
            raise self._not_cached(request)
        with _never_substituted(trouble):
            return by_url.checked(request, self._bring_or_mend(request, again=again))

    def resolve(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel:
        """Ask the remote, then the source, which files, from where, with which digests.

        Raises:
            NotLockedError: it is beyond the lock, and nothing may be.
        """
        request = self.pins.bound(request)
        return self._in_remote(request, deadline) or self._ask_source(request, deadline)

    def resolve_anew(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel:
        """Ask the source itself: a remote may know a branch as it was."""
        return self._ask_source(request, deadline)

    def describe(self, request: ModelRequest) -> Repository:
        """What the hub says of a model's repository, at the revision asked for; one request.

        Raises:
            UnavailableError: it cannot be had, or the network is closed.
            UsageError: its source has no repositories.
        """
        request = self.pins.bound(request)
        self._reject_disabled(request)
        if self.settings.closed_by:
            raise self._not_cached(request)
        source = self._source(request)
        if not isinstance(source, Describer):
            raise UsageError(f"{request.id} is in no repository that could be looked at.")
        return source.describe(request.id, self._deadline(request))

    def _in_remote(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel | None:
        found = self.remote.find(request, deadline)
        try:
            return self.pins.narrowed(request, found) if found else None
        except DigestMismatchError as error:
            _log.warning("the remote is refused, and the source asked: %s", error.message)
            return None

    def _ask_source(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel:
        return self._source(request).resolve(request.id, request, deadline)

    def _source(self, request: ModelRequest) -> Source:
        context = SourceContext(
            transfer=self.transfer,
            endpoint=self.settings.hub_endpoint,
            root=self.settings.root,
            trust=self.settings.trust,
        )
        return open_source(request.id.source, context)

    def _where_it_lies(self, request: ModelRequest) -> StoredModel:
        resolved = self.resolve(request, self._deadline(request))
        if resolved.in_place is None:
            return StoredModel(
                resolved.id, Path(), resolved.kind, resolved.format, (), resolved.revision
            )
        return self.store.take_in_place(resolved, resolved.in_place)

    def _look(self, request: ModelRequest) -> tuple[StoredModel | None, _Trouble]:
        """The entry, and what is wrong with it; its bytes are hashed where a stat changed."""
        try:
            stored = self.store.find_to_use(request.id)
        except DigestMismatchError as error:
            return None, error
        return stored, self._trouble(stored) if stored is not None else None

    def _trouble(self, stored: StoredModel) -> _Trouble:
        bad = self.store.verify(stored, whole=False)
        return mismatch(stored, bad[0]) if bad else None

    def _bring_or_mend(self, request: ModelRequest, *, again: bool) -> StoredModel:
        errand = _Errand(request, self._deadline(request), again)
        with self.store.locked(request.id, timeout=errand.deadline.remaining()):
            # Another process may have brought or mended it while this one waited.
            stored, trouble = self._look(request)
            with _never_substituted(trouble):
                if stored is None or again:
                    return self._bring(replace(errand, before=stored))
                return stored if trouble is None else self._mended(stored, errand)

    def _bring(self, errand: _Errand) -> StoredModel:
        resolve = self._ask_source if errand.again else self.resolve
        resolved = resolve(errand.request, errand.deadline)
        try:
            return self._admitted(resolved, errand)
        except LackingError as lacking:
            with _never_substituted(lacking.wrong):
                same = at_remote(errand.request, resolved)
                resolved = self._ask_source(same, errand.deadline)
                return self._admitted(replace(resolved, id=errand.request.id), errand)

    def _admitted(self, resolved: ResolvedModel, errand: _Errand) -> StoredModel:
        resolved = self.pins.narrowed(errand.request, resolved)
        _log.info("fetching %s (%s)", resolved.id, resolved.revision or "unpinned")
        fetch = self._whole_fetch(resolved, errand)
        timeout = errand.deadline.remaining()
        stored = self.store.admit(resolved, fetch, timeout=timeout, again=errand.again)
        by_url.announce(resolved, errand.before, stored)
        if stored.fresh:
            tidy(self.store, self.settings)
            return stored
        # It was there under another of its names, and nobody has looked at it yet.
        trouble = self._trouble(stored)
        if trouble is None:
            return stored
        with _never_substituted(trouble):
            return self._mended(stored, errand)

    def _mended(self, stored: StoredModel, errand: _Errand) -> StoredModel:
        request, deadline = errand.request, errand.deadline
        if comes_whole(stored, self.store.verify(stored, whole=False)):
            return self._brought_anew(stored, errand)
        try:
            lent = self.remote.lends(request, deadline)
            fetch = Supplied(self._download(errand), lent)
            mended = self.store.mend(stored, fetch, timeout=deadline.remaining())
        except UnavailableError as failure:
            # The recorded addresses may be of a mirror that is gone.
            with contextlib.suppress(UnavailableError, UsageError):
                return self._brought_anew(stored, errand)
            raise failure from None
        return replace(stored, fresh=bool(mended))

    def _brought_anew(self, stored: StoredModel, errand: _Errand) -> StoredModel:
        """Resolve the stored revision anew, and fetch all of it: the bytes must be the same."""
        same = by_url.same_bytes(errand.request, stored)
        pinned = replace(same, id=replace(same.id, revision=stored.revision))
        return self._bring(_Errand(pinned, errand.deadline, again=True, same_as=stored))

    def _whole_fetch(self, resolved: ResolvedModel, errand: _Errand) -> Fetch:
        """Take what is at hand, the nearest first; download the rest; let the source finish it."""
        request, deadline = errand.request, errand.deadline
        fetch = self._download(errand)
        if not errand.again:
            at_hand: tuple[tuple[str, Supply], ...] = (("adopted", Adoption(resolved)),)
            at_hand += self.remote.supplies(request, resolved, deadline)
            fetch = Supplied(fetch, at_hand)
        opening = partial(self._source, request)
        locked = partial(self.pins.agreed, request)
        return Finished(fetch, opening, resolved, deadline, locked, errand.same_as)

    def _download(self, errand: _Errand) -> Fetch:
        request = errand.request
        transfer = by_url.transfer_for(request, self.transfer, self.settings)
        return partial(transfer.fetch_all, deadline=errand.deadline, model=request.asked)

    def _not_cached(self, request: ModelRequest) -> UnavailableError:
        return UnavailableError(
            f"{request.id} is not in the cache {self.store.layout.root}, and the network is "
            f"closed by {self.settings.closed_by}.",
            reason=Reason.NOT_CACHED,
            remedy=self.settings.to_download(request.asked),
        )

    def _reject_disabled(self, request: ModelRequest) -> None:
        where = self.settings.disabled_sources.get(request.id.source)
        if where:
            raise UsageError(
                f"{request.asked!r} needs the source {request.id.source}, disabled in {where}.",
                remedy="set `enabled: true` there",
            )

    def _deadline(self, request: ModelRequest) -> Deadline:
        return Deadline(self.settings.timeout_of(request.id.source))


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
