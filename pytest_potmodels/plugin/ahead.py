"""Hooks that have the models of the tests before the tests ask for them."""

from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from pytest_potmodels.session.run import Run

if TYPE_CHECKING:
    from pytest_potmodels.session.ahead import Ahead


class AheadHooks:
    """Begin when the tests are known; let a test wait for its models before its time counts."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._ahead: Ahead | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Fetch in the background what the selected tests need."""
        if _tests_will_run(session):
            self._ahead = self._run.look_ahead(session.items)
            self._ahead.begin()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        """With `--pot-network=warm`, fetch all of it now."""
        if self._ahead is not None:
            self._ahead.complete()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Wait for the test's models out here: timeouts of tests begin further in."""
        if self._ahead is not None:
            self._ahead.ready(item)
            if self._ahead.plan.of(item):
                self._run.make_ready(item)
        return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        """End what is under way; also after Ctrl-C, and before another plugin may fail."""
        self._run.stop()


def _tests_will_run(session: pytest.Session) -> bool:
    option = session.config.option
    shown_only = option.collectonly or option.pot_plan or getattr(option, "setupplan", False)
    broken = session.testsfailed and not option.continue_on_collection_errors
    return not shown_only and not broken
