"""`--pot-report FILE`: what the tests ran on, written when the session ends."""

from collections.abc import Generator
from pathlib import Path

import pytest

from pytest_potmodels.session.ledger import rows_of
from pytest_potmodels.settings.values import Settings


class Recording:
    """Hears of every test, also of those that ran in workers, and writes the report."""

    def __init__(self, settings: Settings, target: Path) -> None:
        self._settings = settings
        self._target = target
        self._reports: list[pytest.TestReport] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the reports that have rows."""
        if report.user_properties:
            self._reports.append(report)

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, object, object]:
        """Write the report when everybody else has had their say about the exit status.

        A report that cannot be written fails the session: whoever asked for it relies on it.
        """
        from pytest_potmodels.reporting.report import as_json  # noqa: PLC0415 - only of such runs
        from pytest_potmodels.store.disk import write_whole  # noqa: PLC0415

        result = yield
        status = int(session.exitstatus)
        text = as_json(rows_of(self._reports), self._settings, exit_status=status)
        try:
            write_whole(self._target, text)
        except OSError as error:
            said = f"potmodels: the report {self._target} cannot be written: {error}"
            reporter = session.config.pluginmanager.getplugin("terminalreporter")
            if reporter is not None:
                reporter.write_line(said, red=True)
            session.exitstatus = status or pytest.ExitCode.TESTS_FAILED
        return result
