"""ReproducibleExperimentRunner: what a function gets, what is written down, what goes wrong."""

import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from experiments.conftest import NETWORK, Project, trained

from pytest_potmodels.errors import (
    DigestMismatchError,
    StoreError,
    UnavailableError,
    UnknownNameError,
    UsageError,
)
from pytest_potmodels.experiments import (
    ExperimentConfig,
    ExperimentContext,
    ExperimentResult,
    ReproducibleExperimentRunner,
    derived_seed,
    list_results,
    read_result,
)
from pytest_potmodels.settings.resolution import resolve_here

Run = Callable[..., ExperimentResult]


def on_disk(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("experiments/*/*.json")
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return found


def test_the_function_gets_the_plan_the_model_a_generator_and_a_folder(
    run: Run, clean: Path
) -> None:
    seen: list[ExperimentContext] = []

    def function(context: ExperimentContext) -> dict[str, Any]:
        seen.append(context)
        (context.artifacts / "notes.txt").write_text("hello")
        return {"drawn": context.rng.random(), "lr": context.parameters["lr"]}

    result = run(function, parameters={"lr": 0.1}, seed=5)
    (context,) = seen
    assert context.model is context.models["vision"]
    assert (context.seed, context.repeat, context.config.seed) == (5, 0, 5)
    assert result.metrics == {"drawn": 0.8050029237453802, "lr": 0.1}  # numpy's own promise
    (artifact,) = result.artifacts
    assert (artifact.path, artifact.size) == ("notes.txt", 5)
    assert result.path == Path("experiments/demo") / f"{result.run_id}.json"
    assert (clean / "experiments" / "demo" / result.run_id / "notes.txt").is_file()


def test_the_record_says_what_ran_where_and_on_what(run: Run, clean: Path) -> None:
    result = run()
    record = on_disk(clean)
    assert record["status"] == "finished"
    assert (record["is_mock"], record["models"][0]["id"]) == (True, "mock:vision")
    assert record["models"][0]["substitute"] == ""  # Asked for, so it stands in for nothing.
    assert record["code"] == {
        "function": "trained", "file": "conftest.py", "sha256": result.code.sha256,
    }  # fmt: skip
    assert len(record["plan"]) == 64
    assert record["environment"]["versions"]["torch"] == torch.__version__
    assert record["seconds"]["total"] >= record["seconds"]["function"] > 0
    (repeat,) = result.repeats
    assert repeat.changed_model  # Two steps of training are reported.
    assert not run(lambda _: {}).repeats[0].changed_model


def test_each_repeat_is_what_a_run_with_its_seed_is(run: Run) -> None:
    together = run(repeats=2, seed=3)
    alone = run(seed=derived_seed(3, 1))
    again, first = together.repeats[1], together.repeats[0]
    assert again.metrics == alone.metrics != first.metrics
    assert again.checksum_after == alone.repeats[0].checksum_after
    assert again.checksum_before == alone.repeats[0].checksum_before


def test_nothing_of_one_run_reaches_the_next(clean: Path) -> None:
    config = ExperimentConfig("demo", model_architecture="test", parameters={"seen": 0})
    runner = ReproducibleExperimentRunner(config)
    runner.setup_models()["vision"].model.half()

    def function(context: ExperimentContext) -> dict[str, Any]:
        context.parameters["seen"] += 1
        metrics = trained(context)
        context.model.model.double()
        return {**metrics, "seen": context.parameters["seen"]}

    before = torch.get_rng_state()
    first, second = runner.run(function), runner.run(function)
    assert first.metrics == second.metrics
    assert first.plan == second.plan
    assert config.parameters == {"seen": 0}
    assert torch.equal(before, torch.get_rng_state())


def test_a_real_model_is_on_record_with_revision_digest_and_checksum(project: Project) -> None:
    config = ExperimentConfig("demo", model_architecture=NETWORK)
    runner = ReproducibleExperimentRunner(config)
    models = runner.setup_models()
    result = runner.run(lambda context: {"is_mock": context.model.is_mock})
    (pin,) = result.models
    assert pin.id.startswith(f"torchvision:{NETWORK}")
    assert pin.revision == models["vision"].revision
    assert pin.digest == models["vision"].digest != ""
    assert (result.is_mock, pin.is_mock) == (False, False)
    assert result.repeats[0].checksum_before == models["vision"].checksum
    config.expected_checksum = "0" * 64
    with pytest.raises(DigestMismatchError, match="Checksum mismatch"):
        runner.run(trained)
    assert runner.result
    assert runner.result.failure
    assert runner.result.failure.during == "setup"


def test_a_mock_that_stands_in_is_never_silent(
    run: Run, clean: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("POT_NETWORK", "block")
    with caplog.at_level(logging.WARNING):
        result = run(lambda _: {}, model_architecture="mobilenet")
    assert "Using mock for" in caplog.text
    (pin,) = result.models
    assert result.is_mock
    assert (pin.asked, pin.id, pin.substitute) == ("mobilenet", "mock:vision", "not-cached")
    assert "network is closed" in pin.why
    with pytest.raises(UnavailableError):
        run(lambda _: {}, model_architecture="mobilenet", fallback_to_mock=False)


def test_settings_may_be_given(clean: Path) -> None:
    settings = resolve_here({"mock": "always"})
    config = ExperimentConfig("demo", model_type="language", model_architecture="bert")
    result = ReproducibleExperimentRunner(config, settings).run(lambda _: {})
    assert result.models[0].substitute == "asked-for"


class Broken(Exception):  # noqa: N818 - somebody's own
    """An error of the user's."""


def failing(context: ExperimentContext) -> dict[str, Any]:
    if context.repeat == 1:
        raise Broken("no data")
    return {"loss": 1}


def test_what_the_function_raises_comes_out_and_is_on_record(run: Run, clean: Path) -> None:
    with pytest.raises(Broken, match="no data") as raised:
        run(failing, repeats=3)
    record = on_disk(clean)
    assert record["status"] == "failed"
    assert [repeat["metrics"] for repeat in record["repeats"]] == [{"loss": 1}]
    failure = record["failure"]
    assert (failure["type"], failure["message"]) == ("Broken", "no data")
    assert failure["traceback"].splitlines()[1].endswith("in failing")  # None of our own lines.
    (note,) = raised.value.__notes__
    assert note.startswith("recorded in ")


def test_an_interrupt_is_no_failure(run: Run, clean: Path) -> None:
    def interrupted(_: ExperimentContext) -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(interrupted)
    assert on_disk(clean)["status"] == "interrupted"


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "The experiment returned None (NoneType), expected a dict of metrics"),
        (0.5, "expected a dict"),
        ({"model": {"weights": object()}}, "model.weights is "),
    ],
    ids=["nothing", "number", "object"],
)
def test_what_is_no_metric_is_an_error(run: Run, clean: Path, returned: Any, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        run(lambda _: returned)
    assert said in raised.value.message
    assert on_disk(clean)["failure"]["during"] == "function"


def test_a_model_that_does_not_exist_is_on_record_as_failed(run: Run, clean: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'minimal'"):
        run(model_architecture="minimall")
    record = on_disk(clean)
    assert (record["status"], record["failure"]["during"]) == ("failed", "setup")
    assert record["models"] == []


def test_a_plan_that_was_spoiled_later_does_not_run(clean: Path) -> None:
    config = ExperimentConfig("demo", model_architecture="test")
    runner = ReproducibleExperimentRunner(config)
    config.repeats = 0
    with pytest.raises(UsageError, match="repeats is 0"):
        runner.run(trained)
    assert not (clean / "experiments").exists()


def test_a_folder_that_takes_no_files_is_told_before_the_function_runs(
    run: Run, clean: Path
) -> None:
    (clean / "experiments").write_text("a file")
    with pytest.raises(StoreError, match="cannot be written"):
        run(lambda _: pytest.fail("ran"))


def test_an_operation_that_varies_fails_the_run(run: Run, clean: Path) -> None:
    def varying(_: ExperimentContext) -> dict[str, Any]:
        torch.zeros(3).put_(torch.tensor([0, 0]), torch.tensor([1.0, 2.0]))
        return {}

    with pytest.raises(RuntimeError, match="deterministic"):
        run(varying)
    assert run(varying, deterministic="off").status == "finished"


def test_while_it_runs_the_record_says_started(run: Run, clean: Path) -> None:
    seen = []
    run(lambda _: {"n": len(seen.append(on_disk(clean)) or seen)})  # type: ignore[func-returns-value]
    assert seen[0]["status"] == "started"
    assert seen[0]["models"][0]["id"] == "mock:vision"


def test_after_each_repeat_the_record_has_it(run: Run, clean: Path) -> None:
    def function(context: ExperimentContext) -> dict[str, Any]:
        return {"written": len(on_disk(clean)["repeats"])}

    assert [each.metrics["written"] for each in run(function, repeats=3).repeats] == [0, 1, 2]


def test_a_function_that_goes_elsewhere_is_recorded_here(
    run: Run, clean: Path, tmp_path: Path
) -> None:
    def function(context: ExperimentContext) -> dict[str, Any]:
        os.chdir(tmp_path)
        (context.artifacts / "notes.txt").write_text("hello")
        return {"seen": 1}

    result = run(function, repeats=2)
    assert on_disk(clean)["status"] == "finished"
    assert [each.path for each in result.artifacts] == ["0/notes.txt", "1/notes.txt"]
    assert Path.cwd() == clean


def test_more_figures_than_can_be_read_again_are_refused(run: Run, clean: Path) -> None:
    with pytest.raises(UsageError, match="would have"):
        run(lambda context: {"words": "x" * 17_000_000 * context.repeat}, repeats=2)
    (listed,) = list_results()
    assert listed.result
    assert (listed.result.status, len(listed.result.repeats)) == ("failed", 1)


def test_threads_are_fixed_recorded_and_part_of_the_plan(run: Run) -> None:
    before = torch.get_num_threads()
    one = run(lambda _: {"threads": torch.get_num_threads()}, threads=1)
    assert one.metrics == {"threads": 1}
    assert one.environment["threads"] == 1
    same = [run(lambda _: {}, threads=count).plan for count in (None, before, before + 1)]
    assert same[0] == same[1] != same[2]  # None is as many as there were.
    assert torch.get_num_threads() == before
    assert read_result(one.path or "") == one
