"""Ledger rows as the section `models` at the end of a pytest run."""

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from pytest_potmodels.session.ledger import (
    FAILED,
    MOCK,
    MOCK_ASKED,
    REAL,
    SKIPPED,
    Change,
    Row,
)

#: Order and colour of the outcomes.
_MARKUP = {REAL: "green", MOCK: "yellow", MOCK_ASKED: "cyan", SKIPPED: "yellow", FAILED: "red"}
_WIDEST_WHY = 160


def write_summary(reporter: pytest.TerminalReporter, rows: Sequence[Row]) -> None:
    """Write the section; `-q` leaves the total, and without rows there is none."""
    if not rows:
        return
    lines = summary(rows)
    reporter.ensure_newline()
    if reporter.verbosity >= 0:
        reporter.section("models")
    for line in lines if reporter.verbosity >= 0 else lines[-1:]:
        reporter.write_line(line.text, **{line.colour: True})


def write_changes(reporter: pytest.TerminalReporter, changes: Sequence[Change]) -> None:
    """Write what the tests have changed in their models, as `--pot-check-mutations` asks."""
    if not changes:
        return
    reporter.section("changed models")
    for change in changes:
        reporter.write_line(f"{change.test}  {change.model}: {change.what}")


@dataclass(frozen=True)
class Line:
    """A line of the summary and its colour."""

    text: str
    colour: str


def summary(rows: Sequence[Row]) -> list[Line]:
    """One line for each model and outcome, and the totals.

    A test counts once per model, however often it loaded it.
    """
    groups: dict[tuple[str, str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        groups[(row.outcome, _name(row), row.reason, row.why)].append(row)
    ordered = sorted(groups.items(), key=lambda item: (list(_MARKUP).index(item[0][0]), item[0]))
    widths = [max(len(key[i]) for key in groups) for i in (0, 1)]
    lines = [
        Line(f"{key[0]:<{widths[0]}}  {key[1]:<{widths[1]}}  {_facts(group)}", _MARKUP[key[0]])
        for key, group in ordered
    ]
    return [*lines, Line(_totals(rows), "bold")]


def _name(row: Row) -> str:
    return f"{row.asked} ({row.form})" if row.form else row.asked


def _facts(rows: list[Row]) -> str:
    first = rows[0]
    tests = len({row.test for row in rows})
    facts = [_tests(tests)]
    if first.reason:
        facts.append(f"{first.reason}: {_short(first.why)}" if first.why else first.reason)
    else:
        built = [row for row in rows if row.memory_mb]
        loaded = [row for row in rows if row.load_seconds]  # Not: shared with another test.
        facts += [f"{built[0].memory_mb:.1f} MB"] if built else []
        facts += [_pinned(first)] if first.digest else []
        facts += [_load_time(loaded)] if loaded else []
        facts += [_short(first.why)] if first.why else []
    return ", ".join(facts)


def _pinned(row: Row) -> str:
    revision = pin(row.revision)
    return f"{'@' if revision else ''}{revision} sha256 {row.digest[:8]}".strip()


def pin(revision: str) -> str:
    """A commit by its first digits; the name of weights as it is."""
    return revision[:8] if re.fullmatch(r"[0-9a-f]{40}", revision) else revision


def _load_time(rows: list[Row]) -> str:
    seconds = sorted(row.load_seconds for row in rows)
    if len(seconds) == 1:
        return f"loaded in {seconds[0]:.2f} s"
    return f"loaded {len(seconds)} times, median {seconds[len(seconds) // 2]:.2f} s"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _WIDEST_WHY else line[: _WIDEST_WHY - 3] + "..."


def _totals(rows: Sequence[Row]) -> str:
    """Tests by the least real model they had: a test with one mock is a test with a mock."""
    worst: dict[str, str] = {}
    severity = {REAL: 0, MOCK_ASKED: 1, MOCK: 2, SKIPPED: 3, FAILED: 4}
    for row in rows:
        known = worst.get(row.test, REAL)
        worst[row.test] = max(known, row.outcome, key=severity.__getitem__)
    counts = Counter(worst.values())
    words = {
        REAL: "on real models",
        MOCK: "on a mock for want of the model",
        MOCK_ASKED: "on a mock as asked",
        SKIPPED: "skipped for want of a model",
        FAILED: "failed for want of a model",
    }
    said = [f"{counts[outcome]} {words[outcome]}" for outcome in words if counts[outcome]]
    return f"{_tests(len(worst))} with models: {', '.join(said)}"


def _tests(count: int) -> str:
    return f"{count} test{'s' if count != 1 else ''}"
