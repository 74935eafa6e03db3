"""ModelDownloader: models into a folder, and what is in it."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_potmodels.addresses import displayed
from pytest_potmodels.artifacts import LoadedModel, ModelRequest, StoredModel
from pytest_potmodels.downloader import registry, together
from pytest_potmodels.downloader.info import Downloaded, ModelInfo, info_of
from pytest_potmodels.errors import DigestMismatchError, Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import SOURCES
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.settings.values import Settings

_log = logging.getLogger(__name__)

#: What a caller gets: the folder, and what is in it.
Model = tuple[Path, ModelInfo]


class ModelDownloader:
    """Downloads models by name, and looks at those that are there. Nothing is loaded.

    `auto_download_model` and the functions for several models are asked for a download, so
    `auto_download: false` is not meant for them; `ensure_model_available` obeys it.
    """

    def __init__(self, settings: Settings | None = None) -> None:
        """Use these settings, in place of what environment and configuration say.

        Raises:
            UsageError: an option, variable or configuration file that cannot be meant.
        """
        self.settings = settings or resolve_here({})

    @cached_property
    def pipeline(self) -> Pipeline:
        """The way from names to models."""
        return open_pipeline(self.settings)

    @cached_property
    def _by_hand(self) -> Pipeline:
        settings = self.settings.by_hand()
        return self.pipeline if settings is self.settings else open_pipeline(settings)

    def auto_download_model(
        self, identifier: str, model_name: str | None = None, *, force: bool = False
    ) -> Model:
        """Have a model on disk, verified, and give its folder and what is in it.

        Args:
            identifier: "resnet18", "torchvision:resnet18", "https://…/model.pt".
            model_name: with a URL, what its folder is called: `url_<model_name>`.
            force: resolve its revision anew and fetch it anew.

        Raises:
            UsageError: a name that cannot be meant, or a source that is disabled.
            UnavailableError: it cannot be had; `.reason` says why.
            DigestMismatchError: its bytes are wrong and could not be mended.
            StoreError: the folder cannot be used.
        """
        request = self._request(identifier, model_name)
        return self._delivered(self._by_hand.acquire(request, again=force))

    def ensure_model_available(self, identifier: str) -> Model:
        """Have a model on disk, fetched only where it is not there; raises as above.

        With `auto_download: false` a model that is not there is an UnavailableError, which names
        the command that downloads it.
        """
        return self._delivered(self.pipeline.acquire(self._request(identifier)))

    def obtain(self, request: ModelRequest, *, device: str) -> LoadedModel:
        """A fresh object of a model, fetched first where it is not there; raises as above."""
        loaded = self.pipeline.obtain(request, device=device)
        if loaded.source == "pretrained":
            registry.refresh(self.settings, self.pipeline.store)
        return loaded

    def download_multiple_models(
        self, identifiers: Iterable[str], *, force: bool = False
    ) -> dict[str, Downloaded]:
        """Have several models on disk, `jobs` at once; how it went with each, in their order.

        Raises:
            UsageError: no list of names. What is wrong with one of them is in its result.
        """
        names = _names(identifiers)
        ended = {name: Downloaded(name) for name in names}
        if not names:
            return ended
        for name, future in together.bring(self._by_hand, names, again=force):
            try:
                path, info = self._delivered(future.result())
                ended[name] = Downloaded(name, path, info)
            except Exception as error:  # noqa: BLE001 - one failure among many is a value
                _log.warning("%s: %s", displayed(name), error)
                ended[name] = Downloaded(name, error=error)
        return ended

    def download_preset_models(self, preset: str, *, force: bool = False) -> dict[str, Downloaded]:
        """Have the models of a collection (basic, vision, nlp, all) or preset on disk.

        Raises:
            UnknownNameError: neither a collection nor a preset.
        """
        return self.download_multiple_models(self.pipeline.catalog.group(preset), force=force)

    def get_config(self) -> dict[str, Any]:
        """The settings as plain values, in the words of config.yaml.

        `cache_dir` is the folder that holds the models' folders; `registry_file` is None where no
        list is kept; `timeout_seconds` is that of URLs.
        """
        settings, store = self.settings, self.pipeline.store
        sources: dict[str, dict[str, Any]] = {
            source: {"enabled": source not in settings.disabled_sources} for source in SOURCES
        }
        seconds = settings.timeout if settings.url_timeout is None else settings.url_timeout
        limits = {"verify_ssl": settings.verify_ssl, "timeout_seconds": seconds}
        sources.setdefault("url", {}).update(limits)
        kept = registry.registry_of(settings, store)
        return {
            "auto_download": settings.auto_download,
            "cache_dir": str(store.layout.models),
            "sources": sources,
            "registry_file": str(kept) if kept else None,
            "network": settings.network,
            "jobs": settings.jobs,
            "config": str(settings.config.path) if settings.config else None,
        }

    def list_available_models(self) -> dict[str, ModelInfo]:
        """Folder -> what is in it, of all models in the cache; a damaged one is a warning."""
        store = self.pipeline.store
        for folder in store.damaged_entries():
            _log.warning("%s is left out: %s", folder, store.damage_of(folder).message)
        return {each.path.name: info_of(each) for each in store.entries() if not each.in_place}

    def is_model_cached(self, name: str) -> bool:
        """Whether a model is there, whole and untouched, by its folder or by any name of it.

        Raises:
            UsageError: a name that nothing explains.
        """
        try:
            stored = self._find(name)
        except DigestMismatchError:
            return False  # Its manifest is damaged.
        return stored is not None and not self.pipeline.store.verify(stored, whole=False)

    def get_model_path(self, name: str) -> Path:
        """The folder of a model that is there, by its folder or by any name of it.

        Raises:
            UnavailableError: NOT_CACHED.
            DigestMismatchError: it is there, and its manifest is damaged.
            UsageError: a name that nothing explains.
        """
        stored = self._find(name)
        if stored is None:
            raise UnavailableError(
                f"{displayed(name)} is not in {self.pipeline.store.layout.models}.",
                reason=Reason.NOT_CACHED,
                remedy="list_available_models() has what is; "
                "auto_download_model(...) or `potmodels download` fetches a model",
            )
        return stored.path

    def _find(self, name: str) -> StoredModel | None:
        store = self.pipeline.store
        for entry in store.entries():
            if not entry.in_place and entry.path.name == name:
                return entry
        try:
            return store.find(self.pipeline.catalog.request(name).id)
        except UsageError:
            if _is_like_a_folder(name):
                return None
            raise

    def _request(self, identifier: str, model_name: str | None = None) -> ModelRequest:
        request = self.pipeline.catalog.request(identifier)
        if model_name is None:
            return request
        if request.id.source != "url":
            raise UsageError(
                f"model_name={model_name!r}: only a URL needs a name; {request.id} has its own.",
                remedy="leave model_name out",
            )
        return replace(request, label=model_name)

    def _delivered(self, stored: StoredModel) -> Model:
        if not stored.files:
            raise UnavailableError(
                f"{stored.id} is built in: it has no files to download.",
                reason=Reason.MOCK_ONLY,
                remedy="ask for a real model",
            )
        if stored.fresh:
            registry.refresh(self.settings, self.pipeline.store)
        return stored.path, info_of(stored)


def _names(identifiers: Iterable[str]) -> tuple[str, ...]:
    is_list = isinstance(identifiers, Iterable) and not isinstance(identifiers, str | Mapping)
    names = tuple(identifiers) if is_list else ()
    if not is_list or not all(isinstance(name, str) for name in names):
        given = displayed(identifiers) if isinstance(identifiers, str) else repr(identifiers)
        raise UsageError(
            f"{given} is no list of names.",
            remedy="download_multiple_models(['resnet18', 'bert'])",
        )
    return tuple(dict.fromkeys(names))


def _is_like_a_folder(name: str) -> bool:
    return isinstance(name, str) and any(name.startswith(f"{source}_") for source in SOURCES)
