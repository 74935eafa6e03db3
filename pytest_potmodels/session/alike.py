"""Which tests ask for the same? A large suite has thousands of tests and few different wishes."""

from collections.abc import Hashable, Iterable

import pytest

from pytest_potmodels.session.markers import NAMING, PRESET
from pytest_potmodels.session.requests import FIXTURES

BY_NAME = "pot_models"
_MARKS = frozenset({*NAMING, PRESET})
_USED = frozenset({*FIXTURES, BY_NAME})


def alike(item: pytest.Item) -> Hashable:
    """Equal for tests of the same fixtures, marks and place, as those of one parametrization are.

    It holds for the life of the tests: marks are told apart by their identity, because their
    arguments need not be hashable.
    """
    callspec = getattr(item, "callspec", None)
    parametrized = _ids(callspec.marks) if callspec is not None else ()
    return (id(item.parent), fixtures_of(item), _ids(item.own_markers), parametrized)


def fixtures_of(item: pytest.Item) -> tuple[str, ...]:
    """The fixtures of ours that a test uses."""
    return tuple(name for name in getattr(item, "fixturenames", ()) if name in _USED)


def _ids(marks: Iterable[pytest.Mark]) -> tuple[int, ...]:
    return tuple(id(mark) for mark in marks if mark.name in _MARKS)
