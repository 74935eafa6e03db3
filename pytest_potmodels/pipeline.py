"""Identifier -> resolve -> acquire -> verify -> load: the one way from a name to a model.

With `acquiring`, the only module that knows sources, transfer, store and loading. No face has a
cache, a lock, a retry or a fallback of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from pytest_potmodels.acquiring import Acquiring
from pytest_potmodels.artifacts import Format, LoadedModel, ModelRequest, StoredModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.identifiers import split_file
from pytest_potmodels.loading import require_packages
from pytest_potmodels.loading.originals import Collector, Originals
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.opening import open_originals, open_store
from pytest_potmodels.settings.trust import require_trust
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.transfer import TransferPolicy
from pytest_potmodels.transfer.tokens import hub_token
from pytest_potmodels.transfer.unopened import Unopened

if TYPE_CHECKING:
    from pytest_potmodels.transfer.fetch import Transfer
    from pytest_potmodels.transfer.progress import Progress

Token = Callable[[], str | None]


class Pipeline(Acquiring):
    """The steps, over one store, one network policy and one catalog."""

    def __init__(
        self,
        settings: Settings,
        catalog: Catalog,
        store: ModelStore,
        transfer: "Transfer",
        originals: Originals | None = None,
    ) -> None:
        super().__init__(settings, store, transfer)
        self.catalog = catalog
        self.originals = originals or open_originals(settings)

    def obtain(self, request: ModelRequest, *, device: str = "cpu") -> LoadedModel:
        """Give the model that was asked for: real, verified, fresh.

        Raises:
            UnavailableError: it cannot be had; `.reason` says why.
            DigestMismatchError: its bytes are wrong and could not be mended.
            StoreError: the cache folder is full, read-only, or held by another process.
        """
        if (known := format_of(request)) is not None:
            # Before a byte moves: hundreds of megabytes in vain are worse than an early no.
            require_packages(known)
        return self.load(self.acquire(request), request, device=device)

    def load(self, stored: StoredModel, request: ModelRequest, *, device: str) -> LoadedModel:
        """Turn a stored model into an object that nobody else has; no network, no source."""
        if stored.format == "torch_hub":
            require_trust(self.settings.trust, stored.id, stored.revision or "")
        known = replace(stored, kind=request.kind)
        if stored.format == "weights" and request.architecture:
            known = replace(known, format="torchvision", architecture=request.architecture)
        return self.originals.load(known, request.options, device=device)

    def build(
        self, stored: StoredModel, make: Callable[[Path], Any], scratch: Path, *, device: str
    ) -> LoadedModel:
        """Turn a stored model into what a user's callable makes of its folder, called once."""
        return self.originals.build(stored, make, scratch, device=device)


#: Sources that have models of one format only.
FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        "huggingface": "transformers",
        "torchvision": "torchvision",
        "pytorch_hub": "torch_hub",
        "lut": "lut",
    }
)


def format_of(request: ModelRequest) -> Format | None:
    """The format of what was asked for, as far as it is known before the files are."""
    if split_file(request.id)[1]:
        return "onnx"
    return "torchvision" if request.architecture else FORMATS.get(request.id.source)


def open_pipeline(  # noqa: PLR0913 - what each caller has otherwise
    settings: Settings,
    *,
    session_dir: Path | None = None,
    limit_size: bool = False,
    collector: Collector = "pause",
    catalog: Catalog | None = None,
    on_progress: "Callable[[Progress], None] | None" = None,
    token: Token = hub_token,
) -> Pipeline:
    """Build the pipeline that the settings describe.

    Args:
        settings: all options.
        session_dir: shared by the processes of one test session, for verdicts on hosts.
        limit_size: whether `max_size` binds; it does in tests, not for a download by hand.
        collector: what becomes of the garbage collector while models are opened; only tests
            freeze what is there, somebody's program does not.
        catalog: all names, where the caller has put them together already.
        on_progress: told about bytes as they arrive.
        token: what finds the hub's token, where it is not the user's own.
    """
    pinned = open_pins(settings.lock, only=settings.locked).named
    catalog = catalog or build_catalog(
        settings.own_tables, settings.where, pinned=pinned, find_lut=pretrained_files.names
    )
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
    transfer = _transfer(policy, on_progress, token)
    originals = open_originals(settings, collector=collector)
    return Pipeline(settings, catalog, open_store(settings), transfer, originals)


def _transfer(
    policy: TransferPolicy, on_progress: "Callable[[Progress], None] | None", token: Token
) -> "Transfer":
    """The network under a policy; the HTTP client comes in with the first need of it."""

    def make() -> "Transfer":
        from pytest_potmodels.transfer.fetch import Transfer  # noqa: PLC0415

        return Transfer(policy, token=token, on_progress=on_progress)

    return cast("Transfer", Unopened(make))
