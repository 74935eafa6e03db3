"""One pytest process: its pipeline is built when the first test asks for a model."""

import tempfile
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.errors import UsageError
from pytest_potmodels.session.requests import check
from pytest_potmodels.settings.values import Settings

if TYPE_CHECKING:
    from pytest_potmodels.session.pot_models import PotModels
    from pytest_potmodels.session.state import ModelSession
    from pytest_potmodels.transfer.progress import Progress

_WORKER_INPUT = "potmodels_session_dir"
_SESSION_DIR = pytest.StashKey[tempfile.TemporaryDirectory[str]]()


class Run:
    """What one pytest process knows; the fixtures' way to the pipeline."""

    def __init__(
        self,
        config: pytest.Config,
        settings: Settings,
        current_item: Callable[[], pytest.Item | None],
        on_progress: "Callable[[Progress], None]",
    ) -> None:
        self._config = config
        self._on_progress = on_progress
        self._settings = settings
        self._current_item = current_item

    @cached_property
    def catalog(self) -> Catalog:
        """All names that are known here; enough to check marks, and no library is imported."""
        hook = self._config.hook.pytest_potmodels_configure
        tables = [table for table in hook(settings=self._settings) if table]
        additions = [("pytest_potmodels_configure", table) for table in tables]
        return build_catalog(self._settings.own_tables, self._settings.where, additions)

    @cached_property
    def session(self) -> "ModelSession":
        """The models of this process."""
        from pytest_potmodels.pipeline import open_pipeline  # noqa: PLC0415  the first model pays
        from pytest_potmodels.session.state import ModelSession  # noqa: PLC0415

        pipeline = open_pipeline(
            self._settings,
            session_dir=_given_session_dir(self._config),
            limit_size=True,
            catalog=self.catalog,
            on_progress=self._on_progress,
        )
        worker = getattr(self._config, "workerinput", {}).get("workerid", "")
        return ModelSession(pipeline, worker=worker, announce=self._announce)

    @cached_property
    def pot_models(self) -> "PotModels":
        """What the fixture of that name yields."""
        from pytest_potmodels.session.pot_models import PotModels  # noqa: PLC0415

        return PotModels(self.session, self._current_item)

    def check(self, item: pytest.Function, collector: pytest.Collector) -> None:
        """Check a test's marks.

        Raises:
            CollectError: a mark that cannot be meant; the collector's module is not run.
        """
        try:
            check(item, self.catalog, self._settings.preset)
        except UsageError as error:
            raise collector.CollectError(f"{item.name}: {error}") from None

    def _announce(self, model: LoadedModel) -> None:
        self._config.hook.pytest_potmodels_model_loaded(model=model)


def share_session_dir(config: pytest.Config, workerinput: dict[str, object]) -> None:
    """On the xdist controller: one folder for all workers, gone when the controller ends."""
    if _SESSION_DIR not in config.stash:
        config.stash[_SESSION_DIR] = tempfile.TemporaryDirectory(prefix="potmodels-")
        config.add_cleanup(config.stash[_SESSION_DIR].cleanup)
    workerinput[_WORKER_INPUT] = config.stash[_SESSION_DIR].name


def _given_session_dir(config: pytest.Config) -> Path | None:
    given = getattr(config, "workerinput", {}).get(_WORKER_INPUT)
    return Path(given) if given else None
