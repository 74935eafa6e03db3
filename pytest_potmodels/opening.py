"""The cache, what was derived of it, and the models in memory, as the settings describe them."""

import os

from pytest_potmodels.loading.budget import default_budget
from pytest_potmodels.loading.originals import Collector, Originals
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout


def open_store(settings: Settings) -> ModelStore:
    """The cache that the settings name; looking at it needs no network and no catalog."""
    return ModelStore(_layout(settings))


def open_derived(settings: Settings) -> DerivedStore:
    """What was made from the models of that cache; beside it where the cache cannot be written."""
    from platformdirs import user_cache_path  # noqa: PLC0415 - no start of pytest needs it

    second = settings.derived_dir or user_cache_path("pytest-potmodels") / "derived"
    return DerivedStore(_layout(settings), second=second)


def open_originals(settings: Settings, *, collector: Collector = "pause") -> Originals:
    """The models of this process, mapped from what was derived of the cache's models.

    Only tests freeze what is there when a framework has come in; somebody's program does not.
    """
    budget = default_budget(os.environ) if settings.memory is None else settings.memory
    return Originals(
        open_derived(settings),
        budget=budget,
        timeout=settings.timeout,
        collector=collector,
        watch=settings.check_mutations,
    )


def _layout(settings: Settings) -> Layout:
    folder = settings.models_folder
    return Layout.of_models_folder(folder) if folder else Layout.at(settings.cache_dir)
