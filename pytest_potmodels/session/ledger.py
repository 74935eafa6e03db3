"""One row for each model that a test touched, or was refused.

Rows ride on the test's report (`user_properties`): they cross pytest-xdist, survive a crashed
worker and reach junit files.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pytest

PROPERTY = "potmodels"

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
    #: "pretrained" where this load fetched the files, "cached" where it found them.
    source: str = ""

    @property
    def files_only(self) -> bool:
        """Whether the files were had, and nothing was made of them yet."""
        return self.outcome in (REAL, MOCK_ASKED) and not self.source


def write(item: pytest.Item, row: Row) -> None:
    """Put a row on a test's report, unless the same is there: a loop or `@given` loads often.

    What becomes of a model takes the place of the row that its files were had.
    """
    known = item.stash.setdefault(_WRITTEN, [])
    same = [each for each in known if _wish(each) == _wish(row)]
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


def _property(row: Row) -> tuple[str, object]:
    return PROPERTY, json.dumps(asdict(row))  # Plain strings cross every border.


def attempt_of(item: pytest.Item) -> int:
    """Which run of a test this is; pytest-rerunfailures counts them on the item."""
    return int(getattr(item, "execution_count", 1))


def rows_of(reports: Iterable[object]) -> list[Row]:
    """The rows on reports, each once: the reports of one test's phases repeat them."""
    rows: dict[Row, None] = {}
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            row = _row(value) if name == PROPERTY else None
            if row is not None:
                rows[row] = None
    return list(rows)


def _row(value: object) -> Row | None:
    """The row that a property holds; a test may record one of the same name for itself."""
    try:
        return Row(**json.loads(str(value)))
    except (TypeError, ValueError):
        return None
