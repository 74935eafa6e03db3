"""Weights to files and back: equal outputs, or a word why not and a model as it was."""

import hashlib
import json
from pathlib import Path

import pytest
import torch
from lut_networks import config, fitted, samples
from safetensors import torch as safetensors

from pytest_potmodels.errors import LUTDigestError, LUTError
from pytest_potmodels.lut import ConvNet, ModelConfig, SimpleFeedForward
from pytest_potmodels.lut.weights import save
from pytest_potmodels.lut.weights.checking import state_for_files
from pytest_potmodels.lut.weights.reading import read_weights

NODES = ["probabilistic", "dwn", "linear_lut", "warp"]


def outputs(model: SimpleFeedForward) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = model.eval()(samples(seed=1))
    return found


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize("node", NODES)
@pytest.mark.parametrize("layer", ["random", "learnable"])
def test_what_is_saved_is_loaded_bit_for_bit(
    node: str, layer: str, suffix: str, tmp_path: Path
) -> None:
    changes = {"node_type": node, "layer_type": layer}
    model = fitted(**changes)
    model.save_weights(str(tmp_path / f"net{suffix}"))
    for known in (8, None):
        other = SimpleFeedForward(config(**changes, input_size=known, runtime={"seed": 7}))
        other.load_weights(str(tmp_path / f"net{suffix}"))
        assert torch.equal(outputs(other), outputs(model))
        assert torch.equal(other(samples(), eval_mode="hard"), model(samples(), eval_mode="hard"))
        assert other.config.input_size == 8


def test_a_convnet_is_saved_and_loaded_like_any_other(tmp_path: Path) -> None:
    image = {"conv_input_shape": [1, 4, 4], "conv_kernel_size": 3, "conv_tree_depth": 1}
    said = config(model_type="convnet", layer_widths=[6], **image)
    model = ConvNet(said)
    model.fit_encoder(samples(features=16))
    model.save_weights(tmp_path / "net.safetensors")
    other = ConvNet(said.copy(runtime={"seed": 5}))
    other.load_weights(tmp_path / "net.safetensors")
    with torch.no_grad():
        both = [each.eval()(samples(features=16, seed=1)) for each in (model, other)]
    assert torch.equal(*both)


def test_files_hold_thresholds_mappings_and_tables_alone(tmp_path: Path) -> None:
    model = fitted(layer_type="learnable")
    model.save_weights(tmp_path / "net.safetensors")
    found = read_weights(tmp_path / "net.safetensors")
    assert sorted(found.tensors) == [
        "encoder.thresholds",
        "layers.0.mapping",
        "layers.0.node.logits",
        "layers.1.mapping",
        "layers.1.node.logits",
    ]
    assert found.tensors["layers.0.mapping"].dtype == torch.int32
    assert found.structure == model.config.structure()


def test_the_same_weights_make_the_same_file(tmp_path: Path) -> None:
    first, second = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    digests = [save(fitted(), path) for path in (first, second)]
    assert first.read_bytes() == second.read_bytes()
    assert digests == [hashlib.sha256(first.read_bytes()).hexdigest()] * 2


def test_half_of_the_digits_change_no_bit(tmp_path: Path) -> None:
    model = fitted()
    for suffix in (".safetensors", ".pth"):
        path = tmp_path / f"net{suffix}"
        save(model, path, dtype=torch.float16)
        found = read_weights(path).tensors
        assert found["layers.0.node.logits"].dtype == torch.float16
        assert found["encoder.thresholds"].dtype == torch.float32
        other = SimpleFeedForward(config())
        other.load_weights(path)
        hard = [each.eval()(samples(), eval_mode="hard") for each in (model, other)]
        assert torch.equal(*hard)


def test_a_value_that_half_of_the_digits_would_lose_is_an_error(tmp_path: Path) -> None:
    model = fitted()
    model.state_dict()["layers.0.node.logits"][0, 0] = 1e-12
    with pytest.raises(LUTError, match=r"layers.0.node.logits cannot be written as torch.float16"):
        save(model, tmp_path / "net.safetensors", dtype=torch.float16)
    assert not list(tmp_path.iterdir())


def test_a_model_is_saved_once_unless_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    fitted().save_weights(path)
    before = path.read_bytes()
    with pytest.raises(LUTError, match="is there already"):
        fitted(node_type="dwn").save_weights(path)
    assert path.read_bytes() == before
    fitted(node_type="dwn").save_weights(path, overwrite=True)
    assert path.read_bytes() != before


@pytest.mark.parametrize("name", ["net.bin", "net", "net.pt"])
def test_other_endings_are_not_taken(name: str, tmp_path: Path) -> None:
    with pytest.raises(LUTError, match=r"weights end in .safetensors or .pth"):
        fitted().save_weights(tmp_path / name)
    with pytest.raises(LUTError, match=r"weights end in .safetensors or .pth"):
        fitted().load_weights(tmp_path / name)


@pytest.mark.parametrize("weights_first", [True, False])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_yaml_and_weights_name_each_other_whoever_came_first(
    weights_first: bool,  # noqa: FBT001
    suffix: str,
    tmp_path: Path,
) -> None:
    model, yaml, path = fitted(), tmp_path / "net.yaml", tmp_path / f"net{suffix}"
    if weights_first:
        model.save_weights(path)
        model.save_config(yaml)
    else:
        model.save_config(yaml)
        model.save_weights(path)
    document = ModelConfig.read_document(yaml)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    assert document.named_file("weights") == (path, sha256)
    found = ModelConfig.from_yaml(yaml)
    assert (found.pretrained, found.pretrained_name) == (True, "net")
    path.write_bytes(path.read_bytes()[:-1] + b"\x7f")
    with pytest.raises(LUTDigestError, match=r"does not match its config \(sha256 "):
        model.load_weights(path)


def test_comments_in_a_yaml_stay_when_its_weights_are_written(tmp_path: Path) -> None:
    model, yaml = fitted(), tmp_path / "net.yaml"
    model.save_config(yaml)
    text = yaml.read_text().replace("pretrained: false\n", "# mine\npretrained: false\n# end\n")
    yaml.write_text(text)
    for overwrite in (False, True):
        model.save_weights(tmp_path / "net.safetensors", overwrite=overwrite)
    lines = yaml.read_text().splitlines()
    assert "# mine" in lines
    assert "# end" in lines
    assert sum(line.startswith("weights:") for line in lines) == 1
    assert ModelConfig.from_yaml(yaml).pretrained


@pytest.mark.parametrize("form", ["{}", "---\n{}\n...\n", "# first\n{}"])
def test_a_yaml_of_any_form_names_its_weights(form: str, tmp_path: Path) -> None:
    model, yaml = fitted(), tmp_path / "net.yaml"
    text = json.dumps(model.config.as_plain())
    yaml.write_text(form.format(text))
    model.save_weights(tmp_path / "net.safetensors")
    found = ModelConfig.from_yaml(yaml)
    assert (found.structure(), found.pretrained_name) == (model.config.structure(), "net")
    assert ModelConfig.read_document(yaml).named_file("weights") is not None


def test_weights_are_not_put_beside_the_yaml_of_another_network(tmp_path: Path) -> None:
    fitted(layer_widths=[9]).save_config(tmp_path / "net.yaml")
    before = (tmp_path / "net.yaml").read_text()
    with pytest.raises(LUTError, match="of another network than the weights: layer_widths differ"):
        fitted().save_weights(tmp_path / "net.safetensors")
    assert [each.name for each in tmp_path.iterdir()] == ["net.yaml"]
    assert (tmp_path / "net.yaml").read_text() == before


def test_weights_from_elsewhere_say_no_input_size_and_need_none(tmp_path: Path) -> None:
    model, path = fitted(), tmp_path / "net.safetensors"
    safetensors.save_file(state_for_files(model), path)
    other = SimpleFeedForward(config())
    other.load_weights(path)
    assert torch.equal(outputs(other), outputs(model))

    whole = {"name": "thermometer", "num_bits": 2, "feature_wise": False}
    model, path = fitted(encoder_config=whole), tmp_path / "whole.safetensors"
    safetensors.save_file(state_for_files(model), path)
    with pytest.raises(LUTError, match="does not say how many features"):
        SimpleFeedForward(config(encoder_config=whole)).load_weights(path)
    other = SimpleFeedForward(config(encoder_config=whole, input_size=8))
    other.load_weights(path)
    assert torch.equal(outputs(other), outputs(model))
