"""Find every mark that cannot be meant before the first test runs."""

from collections.abc import Callable, Collection, Hashable, Sequence

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.session.alike import alike

Check = Callable[[pytest.Item], None]


def reject_wrong_marks(
    items: list[pytest.Item], asking: Sequence[pytest.Item], check: Check
) -> None:
    """Take the tests whose marks cannot be meant out of `items`, and report each mistake once.

    A mistake counts as a failed collection of the module, class or file that holds the test: a
    UsageError at this time is an internal error under pytest-xdist.
    """
    wrong: dict[pytest.Item, str] = {}
    known: dict[Hashable, UsageError | None] = {}
    for item in asking:
        key = alike(item)
        if key not in known:
            known[key] = _mistake(item, check)
        if (error := known[key]) is not None:
            # Without the parameters: a mark on the function is one mistake, not one per parameter.
            wrong[item] = f"{getattr(item, 'originalname', None) or item.name}: {error}"
    _take_out(items, wrong)
    for holder in dict.fromkeys(item.parent or item.session for item in wrong):
        said = dict.fromkeys(text for item, text in wrong.items() if item.parent is holder)
        _report(holder, "\n".join(said))


def reject_all(items: list[pytest.Item], asking: Sequence[pytest.Item], error: UsageError) -> None:
    """Take all tests with models out of `items` for a mistake that is no single test's."""
    _take_out(items, set(asking))
    _report(asking[0].session, str(error))


def _mistake(item: pytest.Item, check: Check) -> UsageError | None:
    try:
        check(item)
    except UsageError as error:
        return error
    return None


def _take_out(items: list[pytest.Item], wrong: Collection[pytest.Item]) -> None:
    items[:] = [item for item in items if item not in wrong]


def _report(node: pytest.Item | pytest.Collector, said: str) -> None:
    report = pytest.CollectReport(node.nodeid, "failed", said, [])
    node.ihook.pytest_collectreport(report=report)
