from pathlib import Path

import pytest
import torch
from lut_networks import config, fitted, samples

from pytest_potmodels.errors import LUTDigestError, LUTError, LUTNameError, LUTWeightsError
from pytest_potmodels.lut import (
    REGISTRY,
    BaseLUTModel,
    ModelConfig,
    SimpleFeedForward,
    build_model,
    load_pretrained,
)
from pytest_potmodels.lut.weights.checking import state_for_files

FOLDER = Path("pretrained") / "feedforward"


@pytest.fixture(autouse=True)
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SimpleFeedForward:
    """A pretrained network `mine` in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("POT_LUT_PATH", raising=False)
    model = fitted()
    model.save_config(FOLDER / "mine.yaml")
    model.save_weights(FOLDER / "mine.safetensors")
    return model


def same(one: BaseLUTModel, other: BaseLUTModel) -> bool:
    with torch.no_grad():
        return torch.equal(one.eval()(samples(seed=2)), other.eval()(samples(seed=2)))


@pytest.mark.parametrize(
    "source",
    ["mine", "feedforward/mine", "pretrained/feedforward/mine.yaml", FOLDER / "mine.yaml"],
)
def test_a_network_comes_with_its_weights_by_name_and_by_file(
    source: str | Path, mine: SimpleFeedForward
) -> None:
    model = build_model(source)
    assert type(model) is SimpleFeedForward
    assert not model.training
    assert same(model, mine)
    assert (model.config.pretrained, model.config.pretrained_name) == (True, "mine")


def test_its_configuration_gives_the_same_network_again(mine: SimpleFeedForward) -> None:
    assert same(build_model(build_model("mine").get_config()), mine)


def test_without_weights_it_is_built_anew_and_says_so(mine: SimpleFeedForward) -> None:
    model = build_model("mine", load_weights=False, overrides={"seed": 9})
    assert model.training
    assert not model.config.pretrained
    model.fit_encoder(samples())
    assert not same(model, mine)


def test_overrides_are_for_one_model_alone(mine: SimpleFeedForward) -> None:
    soft = load_pretrained("mine", overrides={"temperature": 0.1})
    assert soft.config.setting("temperature") == 0.1
    assert not same(soft, mine)
    assert same(load_pretrained("mine"), mine)


def test_a_configuration_without_weights_gets_random_ones(tmp_path: Path) -> None:
    config().to_yaml(tmp_path / "plain.yaml")
    for source in (config(), tmp_path / "plain.yaml", str(tmp_path / "plain.yaml")):
        model = build_model(source)
        assert model.training
        assert not model.config.pretrained


def test_weights_beside_a_yaml_belong_to_it_unless_they_are_not_wanted(
    mine: SimpleFeedForward, tmp_path: Path
) -> None:
    config(input_size=8).to_yaml(tmp_path / "plain.yaml")
    (tmp_path / "plain.safetensors").write_bytes((FOLDER / "mine.safetensors").read_bytes())
    assert same(build_model(tmp_path / "plain.yaml"), mine)
    assert build_model(tmp_path / "plain.yaml", load_weights=False).training


@pytest.mark.parametrize("source", ["mine", FOLDER / "mine.yaml"])
def test_weights_that_are_missing_are_never_replaced_by_random_ones(source: str | Path) -> None:
    (FOLDER / "mine.safetensors").unlink()
    with pytest.raises(LUTWeightsError, match="weights missing for 'mine': expected") as error:
        build_model(source)
    assert "mine.safetensors" in error.value.message
    assert "potmodels lut train mine" in error.value.remedy
    assert "load_weights=False for random weights" in error.value.remedy
    assert build_model(source, load_weights=False).training


def test_a_yaml_without_weights_by_name_says_which_files_would_do() -> None:
    config(input_size=8).to_yaml(FOLDER / "later.yaml")
    with pytest.raises(LUTWeightsError, match=r"later.safetensors or .pth"):
        build_model("later")


def test_bytes_that_the_yaml_does_not_name_are_not_loaded() -> None:
    path = FOLDER / "mine.safetensors"
    path.write_bytes(path.read_bytes()[:-4] + b"\x00\x00\x00\x00")
    with pytest.raises(
        LUTDigestError, match=r"mine.safetensors does not match its config"
    ) as error:
        build_model("mine")
    assert error.value.expected != error.value.found


def test_a_configuration_that_was_changed_has_no_claim_to_the_weights() -> None:
    changed = build_model("mine").get_config()
    changed.num_classes = 2
    with pytest.raises(LUTError, match="num_classes of the configuration differ from those of 'mi"):
        build_model(changed)
    assert build_model(changed, load_weights=False).config.num_classes == 2
    changed.pretrained = False
    assert build_model(changed).config.num_classes == 2
    nameless = config(pretrained=True)
    with pytest.raises(LUTError, match="has no pretrained_name"):
        build_model(nameless)


@pytest.mark.parametrize("source", ["mien", "feedforward/mien"])
def test_an_unknown_name_is_an_error_with_close_matches(source: str) -> None:
    with pytest.raises(LUTNameError, match=r"unknown pretrained model .*mine"):
        build_model(source)


def test_a_yaml_that_is_not_there_is_an_error() -> None:
    with pytest.raises(LUTError, match=r"no configuration file nowhere\.yaml"):
        build_model("nowhere.yaml")


@pytest.mark.parametrize("source", [None, {"model_type": "feedforward"}])
def test_what_is_no_source_is_said(source: object) -> None:
    with pytest.raises(LUTError, match="a name, a YAML file or a ModelConfig, got"):
        build_model(source)  # type: ignore[arg-type]


def test_overrides_that_cannot_be_meant_build_nothing() -> None:
    with pytest.raises(LUTError, match="fixed by the weights of 'mine'"):
        build_model("mine", overrides={"layer_widths": [3]})
    with pytest.raises(LUTError, match="temperature must be"):
        build_model("mine", overrides={"temperature": -1})


def test_a_model_of_the_users_own_is_built_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REGISTRY._added, "model", {})

    @REGISTRY.register_model("mine_of_factory")
    class Mine(SimpleFeedForward):
        pass

    assert type(build_model(config(model_type="mine_of_factory"))) is Mine


def test_what_was_saved_as_pth_is_found_by_name(mine: SimpleFeedForward) -> None:
    named = mine.get_config()
    named.pretrained, named.pretrained_name = True, "old"
    mine.save_config(FOLDER / "old.yaml")
    mine.save_weights(FOLDER / "old.pth")
    model = build_model("old", load_weights=True)
    assert same(model, mine)
    assert ModelConfig.from_yaml(FOLDER / "old.yaml").pretrained_name == "old"
    assert set(state_for_files(model)) == set(state_for_files(mine))
