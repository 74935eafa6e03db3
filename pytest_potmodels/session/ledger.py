"""One row for each model that a test touched, or was refused.

Rows ride on the test's report (`user_properties`): they cross pytest-xdist, survive a crashed
worker and reach junit files.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TypeVar

import pytest

PROPERTY = "potmodels"
#: What `--pot-check-mutations` finds.
CHANGED = "potmodels-changed"

T = TypeVar("T")
_WRITTEN = pytest.StashKey[list["Row"]]()

#: What became of a wish.
REAL, MOCK, MOCK_ASKED, SKIPPED, FAILED = "real", "mock", "mock asked for", "skipped", "failed"


@dataclass(frozen=True)
class Row:
    """A test, a model, and what became of it."""

    test: str
    #: Counts from 1; plugins that rerun failures make more.
    attempt: int
    asked: str
    model: str
    kind: str
    outcome: str
    revision: str = ""
    digest: str = ""
    #: The code of a reason (`not-cached`, `offline`, ...) where it is not the real model.
    reason: str = ""
    why: str = ""
    load_seconds: float = 0.0
    memory_mb: float = 0.0
    #: "pretrained" for the first model of files that this process fetched, else "cached" or "mock".
    source: str = ""
    #: "onnx" or "onnx-int8" for a model as ONNX.
    form: str = ""

    @property
    def files_only(self) -> bool:
        """Whether the files were had, and nothing was made of them yet."""
        return self.outcome in (REAL, MOCK_ASKED) and not self.source


@dataclass(frozen=True)
class Change:
    """What a test did to a model of its own, in words."""

    test: str
    model: str
    what: str


def write(item: pytest.Item, row: Row) -> None:
    """Put a row on a test's report, unless the same is there: a loop or `@given` loads often.

    What becomes of a model takes the place of the row that its files were had.
    """
    known = item.stash.setdefault(_WRITTEN, [])
    same = [each for each in known if _wish(each) == _wish(row) and _same_form(each, row)]
    if any(each.outcome == row.outcome and not each.files_only for each in same):
        return
    for each in same:
        if each.files_only:
            known.remove(each)
            others = [kept for kept in item.user_properties if kept != _property(each)]
            item.user_properties[:] = others
    known.append(row)
    item.user_properties.append(_property(row))


def _wish(row: Row) -> tuple[int, str, str]:
    return row.attempt, row.asked, row.kind


def _same_form(known: Row, row: Row) -> bool:
    """Files alone are of any form."""
    return known.form == row.form or known.files_only


def _property(row: Row) -> tuple[str, object]:
    return PROPERTY, json.dumps(asdict(row))  # Plain strings cross every border.


def write_change(item: pytest.Item, change: Change) -> None:
    """Put what a test has changed on its report."""
    item.user_properties.append((CHANGED, json.dumps(asdict(change))))


def attempt_of(item: pytest.Item) -> int:
    """Which run of a test this is; pytest-rerunfailures counts them on the item."""
    return int(getattr(item, "execution_count", 1))


def rows_of(reports: Iterable[object]) -> list[Row]:
    """The rows on reports, each once: the reports of one test's phases repeat them."""
    return _written_on(reports, PROPERTY, Row)


def changes_of(reports: Iterable[object]) -> list[Change]:
    """The changes on reports, each once."""
    return _written_on(reports, CHANGED, Change)


def _written_on(reports: Iterable[object], name: str, kind: type[T]) -> list[T]:
    values = (
        value
        for report in reports
        for key, value in getattr(report, "user_properties", ())
        if key == name
    )
    found = (_read(kind, value) for value in values)
    return list(dict.fromkeys(each for each in found if each is not None))


def _read(kind: type[T], value: object) -> T | None:
    """What a property holds; a test may record one of the same name for itself."""
    try:
        return kind(**json.loads(str(value)))
    except (TypeError, ValueError):
        return None
