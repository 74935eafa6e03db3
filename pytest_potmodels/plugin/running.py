"""Hooks of a run in which some test asks for a model, and of the controller of pytest-xdist."""

import os
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import pytest

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.errors import PotModelsError, UsageError
from pytest_potmodels.reporting.downloads import DownloadLines
from pytest_potmodels.session.run import Run, share_session_dir
from pytest_potmodels.settings.resolution import resolve
from pytest_potmodels.settings.values import Settings

T = TypeVar("T")
_SETTINGS = pytest.StashKey[Settings]()


def show_settings(config: pytest.Config) -> None:
    """Work the settings out now, and show them in the header.

    Raises:
        pytest.UsageError: a value that cannot be meant.
    """
    config.pluginmanager.register(Header(_settings(config)), "potmodels-header")


def model_hooks(config: pytest.Config) -> "ModelHooks":
    """The hooks of a run with models; the first test that asks for one registers them."""
    known = config.pluginmanager.get_plugin("potmodels-models")
    if not isinstance(known, ModelHooks):
        known = ModelHooks(config, _settings(config))
        config.pluginmanager.register(known, "potmodels-models")
    return known


def _settings(config: pytest.Config) -> Settings:
    """What options, variables and files come to, worked out once."""
    if _SETTINGS not in config.stash:
        said = vars(config.option).items()
        given = {key[4:]: value for key, value in said if value and key.startswith("pot_")}
        try:
            config.stash[_SETTINGS] = resolve(given, os.environ, config.rootpath)
        except UsageError as error:
            raise pytest.UsageError(str(error)) from None
    return config.stash[_SETTINGS]


class Header:
    """Shows each setting that is not the default."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def pytest_report_header(self) -> str | None:
        """Show each value that is not the default, and where it is from."""
        said = self._settings.non_defaults()
        return f"potmodels: {', '.join(said)}" if said else None


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

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self._item: pytest.Item | None = None
        self._config = config
        lines = DownloadLines(self._write)
        self.run = Run(config, settings, lambda: self._item, on_progress=lines)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Know the running test: what its body loads is written on its report."""
        self._item = item
        try:
            return (yield)
        finally:
            self._item = None

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> None:
        """Have what `requires_model` demands before any fixture runs."""
        if item.get_closest_marker("requires_model") is not None:
            _without_traceback(lambda: self.run.session.require(item))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say which tests ran on what, unless the controller of xdist does."""
        if not terminalreporter.config.pluginmanager.hasplugin("potmodels-controller"):
            summarise(terminalreporter)

    def _write(self, line: str) -> None:
        """Write past pytest's capture; a worker of xdist has no terminal, and writes nothing."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        capture = self._config.pluginmanager.getplugin("capturemanager")
        if reporter is None or capture is None:
            return
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(line)

    def for_fixture(self, item: pytest.Item, fixture: str) -> LoadedModel:
        """The model that a fixture yields in a test."""
        return _without_traceback(lambda: self.run.session.for_fixture(item, fixture))


def summarise(reporter: pytest.TerminalReporter) -> None:
    """Write the section `models`: real, mock, skipped or failed, and why."""
    from pytest_potmodels.reporting.terminal import write_summary  # noqa: PLC0415
    from pytest_potmodels.session.ledger import rows_of  # noqa: PLC0415

    reports = (report for some in reporter.stats.values() for report in some)
    write_summary(reporter, rows_of(reports))


def _without_traceback(step: Callable[[], T]) -> T:
    """An error of ours says what to do; where in our code it was raised helps nobody."""
    try:
        return step()
    except PotModelsError as error:
        pytest.fail(f"{type(error).__name__}: {error}", pytrace=False)
