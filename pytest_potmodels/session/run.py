"""One pytest process: its pipeline is built when the first test asks for a model."""

import tempfile
import traceback
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog, read_models
from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading.options import check as check_options
from pytest_potmodels.session.collection import reject_all, reject_wrong_marks
from pytest_potmodels.session.requests import check
from pytest_potmodels.settings.values import Settings

if TYPE_CHECKING:
    from pytest_potmodels.session.pot_models import PotModels
    from pytest_potmodels.session.state import ModelSession
    from pytest_potmodels.transfer.progress import Progress

_HOOK = "pytest_potmodels_configure"
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
        additions = [(_HOOK, table) for table in self._additions() if table is not None]
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

    def reject_wrong_marks(self, items: list[pytest.Item], asking: Sequence[pytest.Item]) -> None:
        """Take tests out of `items` whose marks cannot be meant, and report them as errors."""
        try:
            catalog = self.catalog
        except UsageError as error:
            reject_all(items, asking, error)
        else:
            preset = self._settings.preset
            reject_wrong_marks(items, asking, lambda item: check(item, catalog, preset))

    def _additions(self) -> list[Any]:
        try:
            found: list[Any] = self._config.hook.pytest_potmodels_configure(settings=self._settings)
        except Exception as error:
            at = traceback.extract_tb(error.__traceback__)[-1]
            raise UsageError(
                f"{_HOOK} fails at {at.filename}:{at.lineno}: {type(error).__name__}: {error}"
            ) from error
        return found

    def _announce(self, model: LoadedModel) -> None:
        self._config.hook.pytest_potmodels_model_loaded(model=model)


def check_tables(settings: Settings) -> None:
    """Check the user's own `models` and `presets` as far as they go without other tables.

    What a preset names is looked up later: hooks and packages may bring it.

    Raises:
        UsageError: a key or value that cannot be meant, with file and line.
    """
    for name, entry in read_models(settings.own_tables, settings.where).items():
        try:
            check_options(entry.options)
        except UsageError as error:
            place = settings.where("models", name)
            raise UsageError(f"{place}: {error.message}", remedy=error.remedy) from None


def share_session_dir(config: pytest.Config, workerinput: dict[str, object]) -> None:
    """On the xdist controller: one folder for all workers, gone when the controller ends."""
    if _SESSION_DIR not in config.stash:
        config.stash[_SESSION_DIR] = tempfile.TemporaryDirectory(prefix="potmodels-")
        config.add_cleanup(config.stash[_SESSION_DIR].cleanup)
    workerinput[_WORKER_INPUT] = config.stash[_SESSION_DIR].name


def _given_session_dir(config: pytest.Config) -> Path | None:
    given = getattr(config, "workerinput", {}).get(_WORKER_INPUT)
    return Path(given) if given else None
