"""Tests that ask for the same are checked once, and no others are taken for them."""

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.session.alike import alike
from pytest_potmodels.session.collection import reject_wrong_marks

SUITE = """
import pytest

bert = pytest.mark.pot_model("bert")

@bert
@pytest.mark.parametrize("n", range(50))
def test_many(n): ...

@pytest.mark.parametrize("n", [0, 1, pytest.param(2, marks=bert), pytest.param(3, marks=bert)])
def test_some(n): ...

@bert
def test_fixture(language_model): ...

@bert
def test_other_fixture(vision_model): ...

@pytest.mark.pot_model(["not", "hashable"])
def test_wrong(): ...

class TestPlace:
    pytestmark = pytest.mark.pot_preset("paper")

    @bert
    def test_many(self): ...
"""


def test_tests_are_alike_that_share_fixtures_marks_and_place(pytester: pytest.Pytester) -> None:
    groups: dict[object, list[str]] = {}
    for item in pytester.getitems(SUITE):
        groups.setdefault(alike(item), []).append(item.name)
    assert [len(names) for names in groups.values()] == [50, 2, 2, 1, 1, 1, 1]


def test_a_mark_that_is_added_makes_a_test_another(pytester: pytest.Pytester) -> None:
    first, second = pytester.getitems("def test_a(): ...\ndef test_b(): ...")
    assert alike(first) == alike(second)
    second.add_marker(pytest.mark.pot_model("bert"))
    assert alike(first) != alike(second)


def test_each_wish_is_checked_once_and_each_wrong_test_is_taken_out(
    pytester: pytest.Pytester,
) -> None:
    items = pytester.getitems(SUITE)
    checked = []

    def check(item: pytest.Item) -> None:
        checked.append(item.name)
        if item.name.startswith("test_many"):
            raise UsageError("wrong")

    left = list(items)
    reject_wrong_marks(left, items, check)
    assert len(checked) == 7
    assert [item.name for item in left] == [
        item.name for item in items if not item.name.startswith("test_many")
    ]
