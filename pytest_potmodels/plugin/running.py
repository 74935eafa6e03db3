"""Hooks of a run in which some test asks for a model, and of the controller of pytest-xdist."""

import logging
import os
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any, TypeVar, cast

import pytest

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.errors import PotModelsError, UsageError
from pytest_potmodels.loading import opened
from pytest_potmodels.plugin import asking_for_models
from pytest_potmodels.plugin.ahead import AheadHooks
from pytest_potmodels.plugin.header import Header
from pytest_potmodels.reporting.downloads import DownloadLines
from pytest_potmodels.session.affinity import add_groups, by_model
from pytest_potmodels.session.run import Run, check_tables, share_session_dir
from pytest_potmodels.session.skipping import WithoutModel, unittest_skips
from pytest_potmodels.session.threads import keep_to_share
from pytest_potmodels.settings.resolution import resolve
from pytest_potmodels.settings.values import Settings

if TYPE_CHECKING:
    from pytest_potmodels.lut.hardened import Heldout
    from pytest_potmodels.session.pot_models import PotModels

T = TypeVar("T")
_SETTINGS = pytest.StashKey[Settings]()


def show_settings(config: pytest.Config) -> None:
    """Work the settings out now, and show them in the header.

    Raises:
        pytest.UsageError: a value that cannot be meant.
    """
    settings = _settings(config)
    config.pluginmanager.register(Header(settings), "potmodels-header")
    if settings.report and _is_to_report(config):
        from pytest_potmodels.plugin.recording import Recording  # noqa: PLC0415 - only if asked for

        config.pluginmanager.register(Recording(settings, settings.report), "potmodels-recording")
    if settings.affinity:
        config.pluginmanager.register(Affinity(), "potmodels-affinity")
        if config.getoption("loadgroup", default=False):  # Only a worker has it.
            config.pluginmanager.register(Groups(), "potmodels-groups")


def model_hooks(session: pytest.Session) -> "ModelHooks":
    """The hooks of a run with models; the first test that asks for one registers them."""
    plugins = session.config.pluginmanager
    known = plugins.get_plugin("potmodels-models")
    if not isinstance(known, ModelHooks):
        keep_to_share(session.config)
        known = ModelHooks(session, _settings(session.config))
        _tell_of_cleanup(session.config, known.write)
        plugins.register(known, "potmodels-models")
        plugins.register(AheadHooks(known.run), "potmodels-ahead")
    return known


def _settings(config: pytest.Config) -> Settings:
    """What options, variables and files come to, worked out once."""
    if _SETTINGS not in config.stash:
        said = vars(config.option).items()
        given = {key[4:]: value for key, value in said if value and key.startswith("pot_")}
        try:
            settings = resolve(given, os.environ, config.rootpath)
            check_tables(settings)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
        config.stash[_SETTINGS] = settings
    return config.stash[_SETTINGS]


def _is_to_report(config: pytest.Config) -> bool:
    """Whether tests run, and their reports come here: a worker's go to the controller."""
    option = config.option
    return not (hasattr(config, "workerinput") or option.collectonly or option.pot_plan)


class Affinity:
    """Sorts the tests by model."""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Sort what -k and -m have left; whatever else sorts has done so by now."""
        if asking_for_models(items):
            items[:] = by_model(items, model_hooks(session).run.plan(items))


class Groups:
    """Gives the tests of one model a group of xdist's."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(
        self, session: pytest.Session, items: list[pytest.Item]
    ) -> None:
        """Add the groups before xdist reads them, which it does before a conftest has its say."""
        if asking := asking_for_models(items):
            add_groups(asking, model_hooks(session).run.plan(asking))


class Controller:
    """What the controller decides for its workers, and what it hears from them."""

    def pytest_configure_node(self, node: Any) -> None:
        """Give the workers one folder, so that a host is found unreachable once for all."""
        share_session_dir(node.config, node.workerinput)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests ran on what."""
        summarise(terminalreporter)


class ModelHooks:
    """Know the running test, have what it requires, and say in the end what was had."""

    def __init__(self, session: pytest.Session, settings: Settings) -> None:
        self._item = _running_test(session)
        self._config = session.config
        lines = DownloadLines(self.write)
        self.run = Run(self._config, settings, lambda: self._item, lines)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know the running test: what its body loads is written on its report."""
        self._item = item
        try:
            return (yield)
        finally:
            self._item = None
            self.run.settle()  # By now pytest has let go of the test's fixtures.

    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Have what `requires_model` demands: before any fixture, after `skipif` and the like."""
        if item.get_closest_marker("requires_model") is not None and _will_run(item):
            _without_traceback(lambda: self.run.session.require(item))

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        """See what a test did to its models while its fixtures still hold them."""
        self.run.note_changes(item)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Let a skip for want of a model point at its test, as that of a skip mark does."""
        report = yield
        if call.excinfo is not None and isinstance(call.excinfo.value, WithoutModel):
            path, line, _ = item.reportinfo()
            report.longrepr = (os.fspath(path), (line or 0) + 1, f"Skipped: {call.excinfo.value}")
        return report

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests ran on what, unless the controller of xdist does."""
        if not terminalreporter.config.pluginmanager.hasplugin("potmodels-controller"):
            summarise(terminalreporter)

    def write(self, line: str) -> None:
        """Write past pytest's capture; a worker of xdist has no terminal, and writes nothing."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if reporter is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)

    @property
    def pot_models(self) -> "PotModels":
        """What the fixture of that name yields."""
        return self.run.pot_models

    @property
    def lut_heldout(self) -> "Heldout":
        """What the fixture of that name yields; NumPy reads it."""
        return _without_traceback(_heldout)

    def for_fixture(self, request: pytest.FixtureRequest) -> LoadedModel:
        """The model that a fixture yields in a test."""
        item, fixture = request.node, str(request.fixturename)
        _without_traceback(lambda: _reject_parameter(request))
        return _without_traceback(lambda: self.run.session.for_fixture(item, fixture))


def _tell_of_cleanup(config: pytest.Config, write: Callable[[str], None]) -> None:
    """Say on the terminal what a cleanup of the cache removes: pytest shows no log of a test."""
    if _settings(config).cleanup_threshold is None:
        return

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            write(f"potmodels: {record.getMessage()}")

    logger, handler = logging.getLogger("pytest_potmodels.store.tidying"), Lines(logging.WARNING)
    logger.addHandler(handler)
    config.add_cleanup(lambda: logger.removeHandler(handler))


def _heldout() -> "Heldout":
    return cast("Heldout", opened("pytest_potmodels.lut.hardened").load_heldout())


def _will_run(item: pytest.Item) -> bool:
    """Whether the test is more than shown or skipped; unittest's own skips come later than ours."""
    return not unittest_skips(item) and not item.config.getoption("setupplan", default=False)


def _reject_parameter(request: pytest.FixtureRequest) -> None:
    """A parameter by `indirect` would be passed over: models come from marks."""
    if hasattr(request, "param"):
        name, fixture = request.param, request.fixturename
        raise UsageError(
            f"{fixture} takes no parameter ({name!r}).",
            remedy=f'pytest.param(..., marks=pytest.mark.pot_model("{name}"))',
        )


def _running_test(session: pytest.Session) -> pytest.Item | None:
    """The test that runs already, where `getfixturevalue` is the first to ask for a model."""
    current = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition(" ")[0]
    return next((item for item in session.items if item.nodeid == current), None)


def summarise(reporter: pytest.TerminalReporter) -> None:
    """Write the section `models`: real, mock, skipped or failed, and why."""
    from pytest_potmodels.reporting.terminal import write_changes, write_summary  # noqa: PLC0415
    from pytest_potmodels.session.ledger import changes_of, rows_of  # noqa: PLC0415

    reports = [report for some in reporter.stats.values() for report in some]
    write_summary(reporter, rows_of(reports))
    write_changes(reporter, changes_of(reports))


def _without_traceback(step: Callable[[], T]) -> T:
    """An error of ours says what to do; where in our code it was raised helps nobody."""
    try:
        return step()
    except PotModelsError as error:
        said = f"{type(error).__name__}: {error}"
    pytest.fail(said, pytrace=False)  # Out here, because in there pytest would show both errors.
