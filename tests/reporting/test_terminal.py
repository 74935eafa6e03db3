"""The section `models`: one line for each model and outcome, and honest totals."""

from typing import Any

from pytest_potmodels.reporting.terminal import summary
from pytest_potmodels.session.ledger import FAILED, MOCK, MOCK_ASKED, REAL, SKIPPED, Row


def row(test: str, outcome: str, **facts: Any) -> Row:
    known = {"attempt": 1, "asked": "bert", "model": "huggingface:bert", "kind": "language"}
    return Row(**{**known, "test": test, "outcome": outcome, **facts})


def test_a_test_counts_by_the_least_real_model_it_had() -> None:
    rows = [
        row("a", REAL, memory_mb=1.0),
        row("a", MOCK, asked="resnet18", reason="offline", why="no route"),
        row("b", REAL, memory_mb=1.0),
        row("c", MOCK_ASKED, memory_mb=1.0),
        row("d", SKIPPED, reason="gated", why="accept its terms"),
        row("e", FAILED, reason="offline", why="no route"),
    ]
    assert summary(rows)[-1].text == (
        "5 tests with models: 1 on real models, 1 on a mock for want of the model, "
        "1 on a mock as asked, 1 skipped for want of a model, 1 failed for want of a model"
    )


def test_lines_go_from_real_to_failed_and_name_reasons() -> None:
    rows = [
        row("e", FAILED, reason="offline", why="no\n  route"),
        row("d", SKIPPED, asked="org/gated", reason="gated", why="accept its terms"),
        row("a", REAL, memory_mb=86.66, digest="f" * 64, revision="0" * 40, load_seconds=0.5),
        row("b", REAL, memory_mb=86.66, digest="f" * 64, revision="0" * 40, load_seconds=0.1),
        row("b", REAL, memory_mb=86.66, digest="f" * 64, revision="0" * 40, load_seconds=0.2),
    ]
    said = [line.text for line in summary(rows)[:-1]]
    assert said == [
        "real     bert       2 tests, 86.7 MB, @00000000 sha256 ffffffff, "
        "loaded 3 times, median 0.20 s",
        "skipped  org/gated  1 test, gated: accept its terms",
        "failed   bert       1 test, offline: no route",
    ]


def test_a_model_as_onnx_has_a_line_of_its_own() -> None:
    rows = [row("a", REAL, memory_mb=2.0), row("a", REAL, memory_mb=1.0, form="onnx-int8")]
    said = [line.text for line in summary(rows)]
    assert said == [
        "real  bert              1 test, 2.0 MB",
        "real  bert (onnx-int8)  1 test, 1.0 MB",
        "1 test with models: 1 on real models",
    ]


def test_a_long_reason_is_cut_and_the_colour_says_how_bad() -> None:
    (line, _) = summary([row("a", MOCK, reason="offline", why="x" * 500)])
    assert line.text.endswith("...")
    assert len(line.text) < 200
    assert line.colour == "yellow"


def test_the_name_of_weights_is_not_cut() -> None:
    (line, _) = summary([row("a", REAL, digest="f" * 64, revision="IMAGENET1K_V1")])
    assert "@IMAGENET1K_V1 sha256 ffffffff" in line.text
