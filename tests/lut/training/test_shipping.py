"""From a YAML to files that are found by name, and give what was measured."""

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest
from lut.training.tiny import config, few

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut import ModelConfig, build_model, load_hardened
from pytest_potmodels.lut.training.evaluation import evaluate
from pytest_potmodels.lut.training.files import Files
from pytest_potmodels.lut.training.images import Dataset
from pytest_potmodels.lut.training.plan import Plan, plan_of
from pytest_potmodels.lut.training.shipping import Shipped, ship
from pytest_potmodels.lut.training.stack import stack

TRAIN = {"epochs": 2, "lr": 0.2, "batch_size": 64}
ABOUT = {"name": "digits of somebody", "license": "CC BY 4.0"}


@pytest.fixture(scope="module")
def data(digits: Dataset) -> Dataset:
    return replace(few(digits, 640), held_out=digits.held_out)


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    path = tmp_path_factory.mktemp("plan") / "mine.yaml"
    config(pretrained_name="another").to_yaml(path, extras={"train": TRAIN, "data": ABOUT})
    return plan_of(str(path))


@pytest.fixture(scope="module")
def shipped(plan: Plan, data: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Two seeds; the files are of the first."""
    files = Files.of(plan, tmp_path_factory.mktemp("models"))
    return ship(plan, data, files, repeats=2, on_epoch=lambda _seed, _epoch: None)


@pytest.fixture
def found_by_name(shipped: Shipped, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POT_LUT_PATH", str(shipped.files.config.parents[1]))


def test_a_plan_is_called_like_its_file(plan: Plan) -> None:
    assert (plan.name, plan.config.pretrained_name) == ("mine", "mine")
    assert plan.recipe.as_block() == {**TRAIN, "seed": 0}
    assert plan.with_seed(3).recipe == replace(plan.recipe, seed=3)


def test_a_name_or_file_that_is_not_there() -> None:
    with pytest.raises(LUTNameError, match="digits_smal"):
        plan_of("digits_smal")
    with pytest.raises(LUTError, match=r"no configuration file gone\.yaml"):
        plan_of("gone.yaml")


@pytest.mark.usefixtures("found_by_name")
def test_the_files_are_found_by_name_and_fit_each_other(shipped: Shipped) -> None:
    found = evaluate("mine", Path("nowhere"))
    assert (found.name, found.trouble) == ("feedforward/mine", "")
    assert found.accuracy == shipped.accuracy
    assert found.hardened == shipped.accuracy.hard_correct
    assert load_hardened("mine").name == "mine"
    assert build_model("mine").config.pretrained


def test_the_yaml_says_what_the_files_are_and_how_they_came(shipped: Shipped) -> None:
    files = shipped.files
    extras = ModelConfig.read_document(files.config).extras
    assert files.hardened is not None
    for key, path in (("weights", files.weights), ("hardened", files.hardened)):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert extras[key] == {"file": path.name, "sha256": digest}
    assert extras["train"] == {**TRAIN, "seed": 0, **stack()}
    assert extras["data"] == ABOUT
    assert extras["metrics"] == shipped.metrics
    assert files.curve.read_bytes().startswith(b"\x89PNG")


def test_the_metrics_are_of_the_first_seed_and_the_mean_of_all(
    shipped: Shipped, plan: Plan, data: Dataset, tmp_path: Path
) -> None:
    first, second = shipped.metrics["seeds"]
    assert (first["seed"], second["seed"]) == (0, 1)
    assert first["hard"] == shipped.metrics["hard"] == shipped.accuracy.hard
    assert first["hard"] != second["hard"]
    assert shipped.metrics["mean"]["hard"] == round((first["hard"] + second["hard"]) / 2, 2)
    assert shipped.metrics["images"] == 360
    other = ship(
        plan.with_seed(1), data, Files.of(plan, tmp_path), on_epoch=lambda _seed, _epoch: None
    )
    assert other.accuracy.hard == second["hard"]
    assert "mean" not in other.metrics


def test_the_same_plan_gives_the_same_files(
    shipped: Shipped, data: Dataset, tmp_path: Path
) -> None:
    # From the YAML that was written: nothing of the recipe is lost on the way.
    again = plan_of(str(shipped.files.config))
    files = Files.of(again, tmp_path)
    ship(again, data, files, repeats=2, on_epoch=lambda _seed, _epoch: None)
    for key in ("config", "weights", "hardened"):
        assert getattr(files, key).read_bytes() == getattr(shipped.files, key).read_bytes(), key


@pytest.mark.usefixtures("found_by_name")
def test_a_yaml_that_promises_another_accuracy_is_told(shipped: Shipped, tmp_path: Path) -> None:
    found = evaluate("mine", Path("nowhere"))
    lying = replace(found, promised={**found.promised, "hard": 99.99})
    assert f"hard is {found.accuracy.hard:.2f} %, its YAML says 99.99 %" in lying.trouble
    broken = replace(found, hardened=3)
    assert "the hardened file gets 3 images right" in broken.trouble


def test_files_that_are_there_are_known_before_the_training(
    shipped: Shipped, plan: Plan, tmp_path: Path
) -> None:
    assert shipped.files.there() == list(shipped.files.paths)
    assert Files.of(plan, tmp_path).there() == []


def test_a_training_that_fails_leaves_what_was_there(
    plan: Plan, data: Dataset, tmp_path: Path
) -> None:
    files = Files.of(plan, tmp_path)
    files.config.parent.mkdir()
    files.config.write_text("before")
    with pytest.raises(LUTError, match="fewer than batch_size"):
        ship(plan, few(data, 3), files, on_epoch=lambda _seed, _epoch: None)
    assert [path.name for path in files.config.parent.iterdir()] == ["mine.yaml"]
    assert files.config.read_text() == "before"


def test_a_folder_that_takes_no_files(plan: Plan, data: Dataset, tmp_path: Path) -> None:
    (tmp_path / "feedforward").write_text("no folder")
    with pytest.raises(LUTError, match="feedforward does not take the files") as caught:
        ship(plan, data, Files.of(plan, tmp_path), on_epoch=lambda _seed, _epoch: None)
    assert "--out" in caught.value.remedy
