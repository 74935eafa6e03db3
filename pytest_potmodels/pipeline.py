"""Identifier -> resolve -> acquire -> verify -> load: the one way from a name to a model.

The only module that knows sources, transfer, store and loading. No face has a cache, a lock,
a retry or a fallback of its own.
"""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels.artifacts import LoadedModel, ModelRequest, ResolvedModel, StoredModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.errors import DigestMismatchError, Reason, UnavailableError, UsageError
from pytest_potmodels.loading import load
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.sources.hub_token import stored_token
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.checking import Damage, mismatch
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.transfer import Deadline, TransferPolicy

if TYPE_CHECKING:
    from pytest_potmodels.transfer.fetch import Transfer
    from pytest_potmodels.transfer.progress import Progress

_log = logging.getLogger(__name__)


class Pipeline:
    """The steps, over one store, one network policy and one catalog."""

    def __init__(
        self, settings: Settings, catalog: Catalog, store: ModelStore, transfer: "Transfer"
    ) -> None:
        self.settings = settings
        self.catalog = catalog
        self.store = store
        self.transfer = transfer

    def obtain(self, request: ModelRequest, *, device: str = "cpu") -> LoadedModel:
        """Give the model that was asked for: real, verified, fresh.

        Raises:
            UnavailableError: it cannot be had; `.reason` says why.
            DigestMismatchError: its bytes are wrong and could not be mended.
        """
        return self.load(self.acquire(request), request, device=device)

    def acquire(self, request: ModelRequest, *, again: bool = False) -> StoredModel:
        """Have the model on disk, verified; no request is made for one that is there.

        With `again`, its revision is resolved anew and its files are fetched anew.
        """
        self._reject_disabled(request)
        if request.id.source in _WHERE_IT_LIES:
            return self._where_it_lies(request)
        stored = None if again else self._intact(request)
        return stored or self._bring_or_mend(request, again=again)

    def resolve(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel:
        """Ask the source which files, from where, with which digests."""
        context = SourceContext(
            transfer=self.transfer,
            endpoint=self.settings.hub_endpoint,
            root=self.settings.root,
        )
        return open_source(request.id.source, context).resolve(request.id, request, deadline)

    def load(self, stored: StoredModel, request: ModelRequest, *, device: str) -> LoadedModel:
        """Turn a stored model into an object; no network, no source."""
        known = replace(stored, kind=request.kind)
        return load(known, request.options, device=device)

    def _where_it_lies(self, request: ModelRequest) -> StoredModel:
        resolved = self.resolve(request, self._deadline())
        if resolved.in_place is None:
            return StoredModel(
                resolved.id, Path(), resolved.kind, resolved.format, (), resolved.revision
            )
        return self.store.take_in_place(resolved, resolved.in_place)

    def _intact(self, request: ModelRequest) -> StoredModel | None:
        """The entry, if it is there and untouched since its bytes were last hashed."""
        try:
            stored = self.store.find(request.id)
        except DigestMismatchError:
            return None
        return stored if stored is not None and not self._damage(stored) else None

    def _bring_or_mend(self, request: ModelRequest, *, again: bool) -> StoredModel:
        deadline = self._deadline()
        if self.settings.closed_by and not self._is_known(request):
            raise self._not_cached(request)
        with self.store.locked(request.id, timeout=deadline.remaining()):
            # Another process may have brought or mended it while this one waited.
            damaged = None
            try:
                stored = self.store.find(request.id)
            except DigestMismatchError as error:
                stored, damaged = None, error
            if stored is not None and not again:
                return self._mended(stored, deadline)
            try:
                return self._bring(request, deadline, again=again)
            except UnavailableError as error:
                raise (damaged or error) from error

    def _bring(self, request: ModelRequest, deadline: Deadline, *, again: bool) -> StoredModel:
        resolved = self.resolve(request, deadline)
        _log.info("fetching %s (%s)", request.id, resolved.revision or "unpinned")
        return self.store.admit(
            resolved,
            lambda files, stage: self.transfer.fetch_all(files, stage, deadline),
            timeout=deadline.remaining(),
            again=again,
        )

    def _mended(self, stored: StoredModel, deadline: Deadline) -> StoredModel:
        bad = self._damage(stored)
        if not bad:
            return stored
        for damage in bad:
            _log.warning("%s: %s; fetching it again", stored.id, damage)
        try:
            self.store.mend(
                stored, bad, lambda files, stage: self.transfer.fetch_all(files, stage, deadline)
            )
        except UnavailableError as error:
            remedy = f"potmodels download --force {stored.id}    (now: {error.message})"
            raise mismatch(stored, bad[0], remedy) from error
        return replace(stored, fresh=True)

    def _damage(self, stored: StoredModel) -> tuple[Damage, ...]:
        return self.store.verify(stored, whole=False)

    def _is_known(self, request: ModelRequest) -> bool:
        try:
            return self.store.find(request.id) is not None
        except DigestMismatchError:
            return True

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


#: Sources whose models need no network and no copy.
_WHERE_IT_LIES = frozenset({"package", "file", "mock"})


def open_pipeline(
    settings: Settings,
    *,
    session_dir: Path | None = None,
    limit_size: bool = False,
    catalog: Catalog | None = None,
    on_progress: "Callable[[Progress], None] | None" = None,
) -> Pipeline:
    """Build the pipeline that the settings describe.

    Args:
        settings: all options.
        session_dir: shared by the processes of one test session, for verdicts on hosts.
        limit_size: whether `max_size` binds; it does in tests, not for a download by hand.
        catalog: all names, where the caller has put them together already.
        on_progress: told about bytes as they arrive.
    """
    from pytest_potmodels.transfer.fetch import Transfer  # noqa: PLC0415  brings the HTTP client

    catalog = catalog or build_catalog(settings.own_tables, settings.where)
    folder = settings.models_folder
    layout = Layout.of_models_folder(folder) if folder else Layout.at(settings.cache_dir)
    policy = TransferPolicy(
        blocked=settings.closed_by,
        timeout=settings.timeout,
        retries=settings.retries,
        jobs=settings.jobs,
        mirrors=settings.mirror,
        hub_endpoint=settings.hub_endpoint,
        session_dir=session_dir,
        max_bytes=settings.max_size if limit_size else None,
    )
    transfer = Transfer(policy, token=stored_token, on_progress=on_progress)
    return Pipeline(settings, catalog, ModelStore(layout), transfer)
