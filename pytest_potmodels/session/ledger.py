"""One row for each model that a test touched, or was refused.

Rows ride on the test's report (`user_properties`): they cross pytest-xdist, survive a crashed
worker and reach junit files.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

import pytest

PROPERTY = "potmodels"

_WRITTEN = pytest.StashKey[set[tuple[int, str, str, str]]]()

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


def write(item: pytest.Item, row: Row) -> None:
    """Put a row on a test's report, unless the same is there: a loop or `@given` loads often."""
    key = (row.attempt, row.asked, row.kind, row.outcome)
    known = item.stash.setdefault(_WRITTEN, set())
    if key not in known:
        known.add(key)
        # Plain strings cross every border.
        item.user_properties.append((PROPERTY, json.dumps(asdict(row))))


def attempt_of(item: pytest.Item) -> int:
    """Which run of a test this is; pytest-rerunfailures counts them on the item."""
    return int(getattr(item, "execution_count", 1))


def rows_of(reports: Iterable[object]) -> list[Row]:
    """The rows on reports, each once: the reports of one test's phases repeat them."""
    rows: dict[Row, None] = {}
    for report in reports:
        for name, value in getattr(report, "user_properties", ()):
            if name == PROPERTY:
                rows[Row(**json.loads(value))] = None
    return list(rows)
