"""What one call of a command works with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.opening import open_derived, open_store
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedStore

if TYPE_CHECKING:
    from pytest_potmodels.transfer.progress import Progress


@dataclass(frozen=True)
class Invocation:
    """The settings in force and how much to say; passed to commands as click's `obj`."""

    settings: Settings
    quiet: bool = False
    debug: bool = False

    def store(self) -> ModelStore:
        """The cache."""
        return open_store(self.settings)

    def derived(self) -> DerivedStore:
        """What was made from the models of the cache."""
        return open_derived(self.settings)

    def catalog(self) -> Catalog:
        """All names that are known here."""
        settings = self.settings
        pinned = open_pins(settings.lock, only=settings.locked).named
        found = pretrained_files.names
        return build_catalog(settings.own_tables, settings.where, pinned=pinned, find_lut=found)

    def pipeline(self, on_progress: "Callable[[Progress], None] | None" = None) -> Pipeline:
        """The way from a name to a model; the size limit does not bind what is done by hand."""
        return open_pipeline(self.settings, limit_size=False, on_progress=on_progress)
