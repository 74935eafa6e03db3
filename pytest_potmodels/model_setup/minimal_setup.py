"""MinimalModelSetup: a preset's models for an experiment, loaded once per configuration."""

import json
import logging
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.artifacts import Kind, LoadedModel, ModelRequest
from pytest_potmodels.errors import DigestMismatchError, UsageError
from pytest_potmodels.fallback import Obtained, obtain
from pytest_potmodels.model_setup.availability import list_available
from pytest_potmodels.model_setup.checksums import as_checksum_mismatch, verify_checksum
from pytest_potmodels.model_setup.configuration import ModelConfig
from pytest_potmodels.model_setup.records import (
    Kept,
    Record,
    memory_report,
    record_of,
    registry,
)
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.settings.values import Settings

_log = logging.getLogger(__name__)


class MinimalModelSetup:
    """Gives the models of the presets, and keeps what it gave in memory.

    The same configuration gives the same model object again, with `source` "cached": whoever
    changes its weights changes them for all. `clear_cache` lets go of it.
    """

    def __init__(
        self, cache_dir: str | Path | None = None, *, settings: Settings | None = None
    ) -> None:
        """Start with nothing in memory; nothing is read or fetched yet.

        Args:
            cache_dir: where models are stored, instead of what environment and configuration say.
            settings: all options, instead of what environment and configuration say.

        Raises:
            UsageError: an option, variable or configuration file that cannot be meant.
        """
        if settings is not None and cache_dir is not None:
            raise UsageError(
                "settings= holds a cache_dir already; a second one was given.",
                remedy="give one of the two",
            )
        self.settings = settings or resolve_here({"cache_dir": cache_dir})
        self._kept: dict[tuple[Any, ...], Kept] = {}
        self._loads: list[Record] = []

    @cached_property
    def pipeline(self) -> Pipeline:
        """The way from names to models."""
        return open_pipeline(self.settings)

    def get_vision_model(self, config: ModelConfig) -> LoadedModel:
        """The vision model of the configuration's preset; see `get_model`."""
        return self._get(config, "vision")

    def get_language_model(self, config: ModelConfig) -> LoadedModel:
        """The language model of the configuration's preset; see `get_model`."""
        return self._get(config, "language")

    def get_model(self, config: ModelConfig) -> LoadedModel:
        """The model of the configuration's preset and `model_type`.

        The real one: from the cache, else fetched. Where it cannot be had, or takes more than
        `memory_limit_mb`, its mock with a logged warning, if `fallback_to_mock`.

        Raises:
            UnavailableError: it cannot be had, and a mock may not stand in.
            DigestMismatchError: "Checksum mismatch"; wrong bytes are never answered with a mock.
            UsageError: a preset, model type or device that does not exist.
        """
        return self._get(config, config.checked_type())

    def get_named_model(self, name: str, config: ModelConfig) -> LoadedModel:
        """The model of a name, used as `model_type`; the preset is not asked.

        All else is as for `get_model`.

        Raises:
            UnknownNameError: a name that nothing explains, with close matches.
            UsageError: a model of the other kind.
        """
        return self._get(config, config.checked_type(), name)

    def get_memory_report(self) -> dict[str, Any]:
        """Memory of the models kept here, in MiB of parameters and buffers.

        Keys: `total_memory_mb`, `largest_model` (None without models), `largest_memory_mb`,
        `model_count`, `models` (a row each, the largest first).
        """
        return memory_report(list(self._kept.values()))

    def list_available_models(self) -> dict[str, dict[str, dict[str, Any]]]:
        """What each preset's models are, and whether they can be loaded here.

        Model type -> preset -> `available`, `why` (not), `model`, `description`, `memory_mb`
        (MiB, about; None where nothing tells yet), `cached`. Available means: the packages are
        installed, and the files are here or the network is open. No request is made and nothing
        is imported, so an upstream that is down and a broken package show only at the load.
        """
        return list_available(self.pipeline)

    def save_model_registry(self, path: str | Path) -> Path:
        """Write what was loaded, what is stored and with which versions, as JSON.

        `loaded` has a row per load, in order; its `checksum` is null once the model was let go.
        `stored` has the manifests of the cache. Gives back the path.

        Raises:
            OSError: the file cannot be written.
        """
        target = Path(path)
        content = registry(self._loads, self._kept.values(), self.pipeline.store.entries())
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        target.write_text(text, encoding="utf-8", newline="\n")
        return target

    def clear_cache(self) -> None:
        """Let go of the models in memory; files stay."""
        self._kept.clear()

    def _get(self, config: ModelConfig, kind: Kind, name: str | None = None) -> LoadedModel:
        key = (kind, name, *config.key())
        kept = self._kept.get(key)
        if kept is not None:
            return kept.loaded
        config.checked_type()  # A misspelt one is told even where the method decides.
        return self._load(config, self._request(config, kind, name), key)

    def _load(
        self, config: ModelConfig, request: ModelRequest, key: tuple[Any, ...]
    ) -> LoadedModel:
        device = _present(config)
        got = self._obtain(config, request, device)
        if config.verify_checksum and config.expected_checksum and not got.substitute:
            verify_checksum(got.model, config.expected_checksum)
        again = got.model if got.model.is_mock else replace(got.model, source="cached")
        mine = Kept(again, record_of(config, got, device))
        kept = self._kept.setdefault(key, mine)
        if kept is not mine:
            return kept.loaded  # Another thread was first; its object is the one.
        self._loads.append(mine.record)
        return got.model

    def _request(self, config: ModelConfig, kind: Kind, name: str | None) -> ModelRequest:
        catalog = self.pipeline.catalog
        if name is not None:
            return catalog.request(name, kind=kind, seed=config.seed)
        request = catalog.preset(str(config.preset), kind)
        return replace(request, options=replace(request.options, seed=config.seed))

    def _obtain(self, config: ModelConfig, request: ModelRequest, device: str) -> Obtained:
        try:
            return obtain(
                self.pipeline,
                request,
                mock=self.settings.mock,
                required=not config.fallback_to_mock,
                device=device,
                memory_limit_mb=config.memory_limit_mb,
            )
        except DigestMismatchError as error:
            raise as_checksum_mismatch(error) from error


def _present(config: ModelConfig) -> str:
    """The device; the CPU, with a warning, where CUDA is missing and fallbacks are allowed."""
    if not (config.device.startswith("cuda") and config.fallback_to_mock):
        return config.device
    if extras.require("torch").cuda.is_available():
        return config.device
    _log.warning("Using cpu for %s: torch sees no CUDA device here", config.name)
    return "cpu"
