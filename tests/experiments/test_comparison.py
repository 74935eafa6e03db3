"""compare: what differs is named, and what does not is not."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from experiments.conftest import NETWORK, Project

from pytest_potmodels.errors import UsageError
from pytest_potmodels.experiments import Comparison, ExperimentResult, compare

Run = Callable[..., ExperimentResult]


def named(found: Comparison) -> list[tuple[str, str]]:
    return [(each.what, each.name) for each in found.differences]


def with_metrics(result: ExperimentResult, *metrics: dict[str, Any]) -> ExperimentResult:
    repeats = tuple(
        replace(result.repeats[0], metrics=each, index=number, seed=number)
        for number, each in enumerate(metrics)
    )
    return replace(result, repeats=repeats)


def test_the_same_run_twice(run: Run) -> None:
    found = compare(run(), run())
    assert found.differences == ()
    assert found.verdict == "same plan, same machine, metrics bit-equal"
    assert (found.same_plan, found.same_machine, found.metrics_equal) == (True, True, True)
    assert found.figures == 4


def test_another_seed_is_named_and_moves_the_metrics(run: Run) -> None:
    found = compare(run(seed=1), run(seed=2))
    assert ("seed", "seed") in named(found)
    assert ("metric", "loss") in named(found)
    assert "weights" not in {what for what, _ in named(found)}  # They follow from the seed.
    assert found.verdict == "different plans, same machine, 4 of 4 metrics differ"


def test_another_pin_and_a_stand_in_are_named(
    project: Project, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(lambda _: {}, model_architecture=NETWORK)
    project.publish(1)
    found = compare(first, run(lambda _: {}, model_architecture=NETWORK))
    pins = {name for what, name in named(found) if what == "pin"}
    assert pins == {"vision.revision", "vision.digest"}
    assert ("weights", "checksum_before") in named(found)
    assert not found.same_plan

    monkeypatch.setenv("POT_MOCK", "always")
    found = compare(first, run(lambda _: {}, model_architecture=NETWORK))
    assert ("pin", "vision.is_mock") in named(found)
    assert ("pin", "vision.substitute") in named(found)
    assert ("environment", "variables.POT_MOCK") in named(found)


def test_another_version_is_named(result: ExperimentResult) -> None:
    versions = {**result.environment["versions"], "torch": "2.6.0"}
    other = replace(result, environment={**result.environment, "versions": versions})
    (difference,) = compare(result, other).differences
    assert (difference.what, difference.name, difference.b) == ("version", "torch", "2.6.0")


def test_another_machine_is_named(result: ExperimentResult) -> None:
    machine = {**result.environment["machine"], "processor": "another"}
    other = replace(result, environment={**result.environment, "machine": machine})
    found = compare(result, other)
    assert named(found) == [("environment", "machine.processor")]
    assert found.verdict == "same plan, different machines, metrics bit-equal"


def test_another_configuration_commit_or_file_is_named(run: Run) -> None:
    one = run(lambda _: {}, parameters={"lr": 0.1}, tags=["a"])
    two = run(lambda _: {}, parameters={"lr": 0.2, "steps": []}, tags=["b"])
    git = {"commit": "abc", "dirty": True}
    two = replace(
        two,
        code=replace(two.code, sha256="other"),
        environment={**two.environment, "git": git},
    )
    one = replace(one, environment={**one.environment, "git": {"commit": "abc", "dirty": False}})
    assert named(compare(one, two)) == [
        ("config", "tags.0"),
        ("config", "parameters.lr"),
        ("config", "parameters.steps"),
        ("code", "sha256"),
        ("code", "git.dirty"),
    ]


def test_words_for_people_are_no_part_of_the_plan(run: Run) -> None:
    one, two = run(lambda _: {}), run(lambda _: {}, experiment_name="other", tags=["x"])
    assert one.plan == two.plan
    assert run(lambda _: {}, parameters={"lr": 1}).plan != one.plan


@pytest.mark.parametrize(
    ("a", "b", "tolerance", "same"),
    [
        (0.1, 0.1, 0, True),
        (0.1, 0.1 + 1e-17, 0, False),  # One bit.
        (0.0, -0.0, 0, False),
        (1, 1.0, 0, True),
        ("nan", "nan", 0, True),
        ("nan", 0.0, 1e9, False),
        (True, 1, 0, False),
        (None, "(absent)", 0, False),
        ([1, 2], [1, 2, 3], 0, False),
        ([], {}, 0, False),
        (100.0, 101.0, 0.01, True),
        (100.0, 101.1, 0.01, False),
        (0.0, 0.005, 0.01, True),
        (1.0, 1.0 + 1e-9, 1e-6, True),
        ("0.1", "0.1000001", 0.1, False),
    ],
)
def test_two_figures(
    a: Any,
    b: Any,
    tolerance: float,
    same: bool,  # noqa: FBT001
    result: ExperimentResult,
) -> None:
    one, two = with_metrics(result, {"figure": a}), with_metrics(result, {"figure": b})
    for first, second in ((one, two), (two, one)):
        found = compare(first, second, tolerance=tolerance)
        assert found.metrics_equal == same
        assert bool(found.differences) != same


def test_a_difference_of_figures_has_its_size(result: ExperimentResult) -> None:
    one = with_metrics(result, {"loss": 2.0, "zero": 0.0, "word": "x"})
    two = with_metrics(result, {"loss": 2.5, "zero": 1.0, "word": "y"})
    loss, zero, word = compare(one, two).differences
    assert (loss.absolute, loss.relative) == (0.5, 0.25)
    assert (zero.absolute, zero.relative) == (1.0, None)
    assert (word.absolute, word.relative) == (None, None)


@pytest.mark.parametrize(("a", "b"), [(1e308, -1e308), (5e-324, 1.0), (-(2**999), 2**999)])
def test_a_difference_beyond_all_numbers_has_no_size(
    a: float, b: float, result: ExperimentResult
) -> None:
    one, two = with_metrics(result, {"loss": a}), with_metrics(result, {"loss": b})
    for tolerance in (0.0, 1e-9):
        found = compare(one, two, tolerance=tolerance)
        assert not found.metrics_equal
        json.dumps(found.as_json(), allow_nan=False)


def test_repeats_are_compared_one_by_one(result: ExperimentResult) -> None:
    one = with_metrics(result, {"loss": 1}, {"loss": 2})
    two = with_metrics(result, {"loss": 1}, {"loss": 3})
    assert named(compare(one, two)) == [("metric", "repeat 1.loss")]
    three = with_metrics(result, {"loss": 1})
    (difference,) = compare(one, three).differences
    assert (difference.name, difference.b) == ("repeat 1.loss", "(absent)")


def test_a_run_that_has_not_finished_has_no_equal_metrics(result: ExperimentResult) -> None:
    other = replace(result, status="started", repeats=())
    found = compare(result, other)
    assert not found.metrics_equal
    assert ("status", "status") in named(found)
    assert found.verdict.endswith("not both have finished")
    assert not compare(replace(result, status="failed"), other).metrics_equal


@pytest.mark.parametrize("tolerance", [-1, float("nan"), float("inf")])
def test_a_tolerance_that_cannot_be_meant(tolerance: float, result: ExperimentResult) -> None:
    with pytest.raises(UsageError, match="tolerance"):
        compare(result, result, tolerance=tolerance)


def test_a_comparison_is_a_table_json_and_text(run: Run) -> None:
    one = run(lambda _: {"loss": 1.0})
    two = run(lambda _: {"loss": 1.5}, seed=7)
    assert one.path
    assert two.path
    found = compare(one.path, str(two.path))
    assert found.table == (
        ("seed", "seed", "42", "7", "", ""),
        ("metric", "loss", "1.0", "1.5", "+0.5", "+0.5"),
    )
    made = json.loads(json.dumps(found.as_json()))
    assert made["verdict"] == found.verdict
    assert made["differences"][1]["relative"] == 0.5
    assert str(found).splitlines()[-1] == found.verdict
    assert "metric  loss  1.0  1.5" in str(found)
