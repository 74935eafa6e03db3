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
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.session.alike import fixtures_of
from pytest_potmodels.session.collection import reject_all, reject_wrong_marks
from pytest_potmodels.session.requests import ONNX, check
from pytest_potmodels.settings.values import Settings

if TYPE_CHECKING:
    from pytest_potmodels.session.ahead import Ahead
    from pytest_potmodels.session.onnx_ahead import OnnxAhead
    from pytest_potmodels.session.pipeline import Lines, SessionPipeline
    from pytest_potmodels.session.plan import Plan
    from pytest_potmodels.session.pot_models import PotModels
    from pytest_potmodels.session.state import ModelSession

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
        lines: "Lines",
    ) -> None:
        self._config = config
        self._lines = lines
        self._settings = settings
        self._ahead: Ahead | None = None
        self._current_item = current_item

    @cached_property
    def catalog(self) -> Catalog:
        """All names that are known here; enough to check marks, and no library is imported."""
        additions = [(_HOOK, table) for table in self._additions() if table is not None]
        settings = self._settings
        pinned = open_pins(settings.lock, only=settings.locked).named
        found = pretrained_files.names
        return build_catalog(
            settings.own_tables, settings.where, additions, pinned=pinned, find_lut=found
        )

    @cached_property
    def pipeline(self) -> "SessionPipeline":
        """The way to the models; the network is closed if it was to be so by now."""
        from pytest_potmodels.session.pipeline import open_session  # noqa: PLC0415

        folder = _given_session_dir(self._config)
        made = open_session(self._settings, self.catalog, folder, self._lines)
        if self._settings.network == "warm" and self._ahead is None:
            made.close_network(())  # The first to ask for a model is a test that runs already.
        return made

    @cached_property
    def session(self) -> "ModelSession":
        """The models of this process."""
        from pytest_potmodels.session.state import ModelSession  # noqa: PLC0415

        worker = getattr(self._config, "workerinput", {}).get("workerid", "")
        return ModelSession(
            self.pipeline, worker=worker, announce=self._announce, scratch=self._scratch
        )

    def look_ahead(self, items: Sequence[pytest.Item]) -> "Ahead":
        """Work out which models these tests need, to have them before they are asked for."""
        from pytest_potmodels.session.ahead import Ahead  # noqa: PLC0415  only of runs with models

        self._ahead = Ahead(self.plan(items), self._settings, lambda: self.pipeline)
        return self._ahead

    def make_ready(self, item: pytest.Item) -> None:
        """Have what is made of the models of a test before its own time counts."""
        if any(name.endswith(ONNX) for name in fixtures_of(item)):
            self._onnx_ahead.ready(item)

    @cached_property
    def _onnx_ahead(self) -> "OnnxAhead":
        from pytest_potmodels.session.onnx_ahead import OnnxAhead  # noqa: PLC0415

        return OnnxAhead(self.pipeline)

    def plan(self, items: Sequence[pytest.Item]) -> "Plan":
        """Work out which models these tests need."""
        from pytest_potmodels.session.plan import Plan, plan_of  # noqa: PLC0415

        try:
            return plan_of(items, self.catalog, self._settings.preset)
        except UsageError:  # `reject_wrong_marks` reports it, and leaves no test with models.
            return Plan()

    def stop(self) -> None:
        """End what is under way in the background."""
        if "pipeline" in vars(self):
            self.pipeline.stop()

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

    def settle(self) -> None:
        """A test is over; if none has asked for a model yet, there is nothing to do."""
        if "session" in vars(self):
            self.session.settle()

    def note_changes(self, item: pytest.Item) -> None:
        """A test is about to let go of its models."""
        if self._settings.check_mutations and "session" in vars(self):
            self.session.note_changes(item)

    def _scratch(self) -> Path:
        """The folder that the processes of this session share, gone when it ends."""
        return _given_session_dir(self._config) or _session_dir(self._config)

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
    workerinput[_WORKER_INPUT] = str(_session_dir(config))


def _session_dir(config: pytest.Config) -> Path:
    if _SESSION_DIR not in config.stash:
        # Windows deletes no file that is mapped: the folder is left to the system there.
        folder = tempfile.TemporaryDirectory(prefix="potmodels-", ignore_cleanup_errors=True)
        config.stash[_SESSION_DIR] = folder
        config.add_cleanup(folder.cleanup)
    return Path(config.stash[_SESSION_DIR].name)


def _given_session_dir(config: pytest.Config) -> Path | None:
    given = getattr(config, "workerinput", {}).get(_WORKER_INPUT)
    return Path(given) if given else None
