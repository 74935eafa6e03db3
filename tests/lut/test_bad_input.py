"""What cannot be meant is an error that says what was expected, and the model is as it was."""

import json
import math
import os
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from lut_networks import config, fitted, samples
from safetensors import torch as safetensors

from pytest_potmodels.errors import LUTDigestError, LUTError, LUTNameError
from pytest_potmodels.lut import SimpleFeedForward
from pytest_potmodels.lut.weights.checking import state_for_files

Model = SimpleFeedForward
State = dict[str, torch.Tensor]


def snapshot(model: Model) -> list[object]:
    """All that a model is: tensors by name, modules, configuration, mode, divisor of outputs."""
    state = {name: tensor.nan_to_num().tolist() for name, tensor in model.state_dict().items()}
    names = [name for name, _ in model.named_modules()]
    return [state, names, model.config.copy(), model.training, model.group_sum.tau]


def refused(model: Model, act: Callable[[], object], said: str) -> LUTError:
    """The error of an act that leaves the model as it was."""
    before = snapshot(model)
    with pytest.raises(LUTError, match=said) as error:
        act()
    assert snapshot(model) == before
    assert isinstance(error.value, ValueError)
    return error.value


@pytest.fixture
def model() -> Model:
    return fitted(pretrained=True, pretrained_name="digits")


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (
            {"layer_widths": [3]},
            r"layer_widths is structural: fixed by the weights of 'digits' \(\[12, 6\]\)\. "
            r"Runtime keys: temperature, eval_mode(.|\n)*build a new ModelConfig and train",
        ),
        ({"input_size": 3}, r"input_size is structural: fixed by the weights of 'digits' \(8\)"),
        ({"temprature": 2}, r"unknown key 'temprature'. Did you mean 'temperature'\?"),
        ({"temperature": -1}, "temperature must be a finite number > 0, got -1"),
        ({"eval_mode": "hardd"}, "one of expectation, deterministic, sampling, got 'hardd'"),
        ({"flip_probability": 1.5}, r"flip_probability must be .* in \[0, 1\], got 1.5"),
        ({"regularizers": {"entropi": {"weight": 1}}}, "unknown regularizer 'entropi'"),
    ],
)
def test_of_several_overrides_none_is_taken_if_one_is_wrong(
    model: Model, overrides: dict[str, Any], said: str
) -> None:
    good = {"output_tau": 9.0, "temperature": 0.5, "seed": 4}
    refused(model, lambda: model.apply_runtime_overrides({**good, **overrides}), said)


def changed(**changes: Callable[[torch.Tensor], torch.Tensor | None]) -> State:
    """The tensors of a network's file, with some changed or (None) left out."""
    state = state_for_files(fitted(runtime={"seed": 1}))
    for name, change in changes.items():
        full = name.replace("__", ".")
        found = change(state.pop(full).clone() if full in state else torch.zeros(1))
        if found is not None:
            state[full] = found
    return state


def with_value(value: float) -> Callable[[torch.Tensor], torch.Tensor]:
    """The tensor with a value in its first place."""

    def change(tensor: torch.Tensor) -> torch.Tensor:
        tensor.view(-1)[0] = value
        return tensor

    return change


LOGITS, MAPPING = "layers__0__node__logits", "layers__1__mapping"
FILES = [
    (
        {LOGITS: lambda each: each[:5]},
        r"layers.0.node.logits: file \(5, 8\), config \(12, 8\) - layer_widths/node_input_dim diff",
    ),
    (
        {"encoder__thresholds": lambda each: each[:, :1]},
        r"encoder.thresholds: file \(8, 1\), config \(8, 2\) - input_size/num_bits differ",
    ),
    ({LOGITS: lambda _: None}, "layers.0.node.logits is missing"),
    ({"layers__9__mapping": lambda each: each}, "layers.9.mapping is unexpected"),
    (
        {f"more{number}": lambda each: each for number in range(7)},
        r"more4 is unexpected; and 2 more\.",
    ),
    ({MAPPING: lambda each: each.float()}, "layers.1.mapping: file torch.float32, config torch.in"),
    ({LOGITS: lambda each: each.int()}, "layers.0.node.logits: file torch.int32, config torch.flo"),
    ({LOGITS: with_value(math.nan)}, "layers.0.node.logits has 1 NaN"),
    ({LOGITS: with_value(-math.inf)}, "layers.0.node.logits has 1 infinite values"),
    ({"encoder__thresholds": with_value(math.nan)}, "encoder.thresholds has 1 NaN"),
    ({MAPPING: with_value(12)}, "layers.1.mapping has index 12, and there are 12 inputs"),
    ({"layers__0__mapping": with_value(16)}, "layers.0.mapping has index 16, and there are 16 in"),
    ({MAPPING: with_value(-1)}, "layers.1.mapping has index -1, and there are 12 inputs"),
]


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
@pytest.mark.parametrize(("changes", "said"), FILES)
@pytest.mark.parametrize("built", [True, False])
def test_weights_that_do_not_fit_are_named_and_none_is_taken(
    model: Model,
    changes: dict[str, Any],
    said: str,
    suffix: str,
    built: bool,  # noqa: FBT001
    tmp_path: Path,
) -> None:
    path, state = tmp_path / f"net{suffix}", changed(**changes)
    if suffix == ".pth":
        torch.save(state, path)
    else:
        safetensors.save_file({name: each.contiguous() for name, each in state.items()}, path)
    target = model if built else SimpleFeedForward(config())
    error = refused(target, lambda: target.load_weights(path), said)
    assert str(path) in error.message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"node_type": "dwn"}, "for another network: node_type 'dwn' in the file, 'probabilistic'"),
        ({"layer_type": "arange"}, "for another network: layer_type 'arange' in the file"),
        (
            {"layer_widths": [15, 6]},
            r"layers.0.mapping: file .* - layer_widths \[15, 6\] in the fi",
        ),
        ({"num_classes": 2}, "for another network: num_classes 2 in the file, 3 in the config"),
    ],
)
def test_weights_of_another_network_are_not_taken_for_their_shapes(
    model: Model, changes: dict[str, Any], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "net.safetensors"
    fitted(**changes).save_weights(path)
    refused(model, lambda: model.load_weights(path), said)


def test_other_bytes_than_the_yaml_names_are_not_parsed(model: Model, tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    model.save_config(tmp_path / "net.yaml")
    model.save_weights(path)
    path.write_bytes(b"\x00")
    error = refused(model, lambda: model.load_weights(path), r"does not match its config \(sha256")
    assert isinstance(error, LUTDigestError)
    assert error.exit_code == 4


class Evil:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return (os.mkdir, (self.path,))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (Evil, r"needs unpickling of \w+\.mkdir; refused \(weights_only\)"),
        ([torch.zeros(1)], "holds list, expected tensors by name"),
        ({"a": 1}, "holds 'a', which is no plain tensor"),
        ({1: torch.zeros(1)}, "holds 1, which is no plain tensor"),
        ({"a": torch.eye(2).to_sparse()}, "holds 'a', which is no plain tensor"),
        ({"state_dict": OrderedDict(a=torch.zeros(1))}, "holds 'state_dict', which is no plain"),
    ],
)
def test_a_pth_with_more_than_plain_tensors_is_refused(
    model: Model, value: Any, said: str, tmp_path: Path
) -> None:
    path, mark = tmp_path / "net.pth", tmp_path / "mark"
    torch.save({"a": Evil(mark)} if value is Evil else value, path)
    refused(model, lambda: model.load_weights(path), said)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("net.pth", b"", "net.pth is no valid file of weights"),
        ("net.pth", b"PK\x03\x04 and more", "net.pth is no valid file of weights"),
        ("net.safetensors", b"", "net.safetensors is no valid safetensors file"),
        ("net.safetensors", b"\xff" * 40, "net.safetensors is no valid safetensors file"),
        ("net.safetensors", None, "There is no file of weights"),
    ],
)
def test_damaged_files_are_said(
    model: Model, name: str, data: bytes | None, said: str, tmp_path: Path
) -> None:
    if data is not None:
        (tmp_path / name).write_bytes(data)
    refused(model, lambda: model.load_weights(tmp_path / name), said)


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ({"format": 2, "config": {}}, r"has format 2, of a later version(.|\n)*upgrade"),
        ({"format": "one", "config": {}}, "has metadata that cannot be read"),
        ({"format": 1}, "has metadata that cannot be read"),
        ([], "has metadata that cannot be read"),
    ],
)
def test_metadata_of_another_format_is_said(
    model: Model, metadata: object, said: str, tmp_path: Path
) -> None:
    path = tmp_path / "net.safetensors"
    known = {"potmodels_lut": json.dumps(metadata)}
    safetensors.save_file(state_for_files(model), path, known)
    refused(model, lambda: model.load_weights(path), said)


@pytest.mark.parametrize("known", [8, None])
def test_a_network_without_thresholds_computes_and_saves_nothing(
    known: int | None, tmp_path: Path
) -> None:
    fresh = SimpleFeedForward(config(input_size=known))
    said = "encoder is not fitted"
    for act in (
        lambda: fresh(samples()),
        lambda: fresh.encode(samples()),
        lambda: fresh.save_weights(tmp_path / "net.safetensors"),
    ):
        error = refused(fresh, act, said)
        assert "fit_encoder" in error.remedy
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (samples(), r"fitted already, and its thresholds belong to the weights(.|\n)*refit=True"),
        (samples()[:0], "fitted already"),
    ],
)
def test_thresholds_are_fitted_once(model: Model, data: torch.Tensor, said: str) -> None:
    refused(model, lambda: model.fit_encoder(data), said)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (torch.zeros(0, 8), r"is empty: \(0, 8\)"),
        (torch.full((3, 8), math.nan), "has 24 values that are NaN or infinite"),
        (torch.full((3, 8), math.inf), "has 24 values that are NaN or infinite"),
        (torch.zeros(3, 9), r"must be \(N, 8\), got \(3, 9\)"),
        (torch.zeros(8), r"must be \(N, F\), got \(8,\)"),
        ([[1.0]], "is a list, expected a tensor"),
    ],
)
def test_data_that_says_nothing_fits_no_thresholds(
    model: Model, data: torch.Tensor, said: str
) -> None:
    refused(model, lambda: model.fit_encoder(data, refit=True), said)


@pytest.mark.parametrize(
    ("x", "said"),
    [
        (torch.zeros(3, 9), r"x must be \(N, 8\), got \(3, 9\)"),
        (torch.zeros(8), r"x must be \(N, F\), got \(8,\)"),
        (torch.tensor(1.0), r"x must be \(N, F\), got \(\)"),
        (torch.full((2, 8), math.nan), "x has 16 NaN"),
        ("x", "x is a str, expected a tensor"),
    ],
)
def test_what_is_no_sample_is_not_computed(model: Model, x: torch.Tensor, said: str) -> None:
    refused(model, lambda: model(x), said)
    refused(model, lambda: model.encode(x), said)


def test_an_eval_mode_for_one_call_is_checked_like_any_other(model: Model) -> None:
    refused(model, lambda: model(samples(), eval_mode="hardd"), "eval_mode must be one of")


def test_of_nothing_there_is_nothing(model: Model) -> None:
    assert model(torch.zeros(0, 8)).shape == (0, 3)


def test_a_file_that_is_there_is_not_written_over(model: Model, tmp_path: Path) -> None:
    for name, save in (
        ("net.yaml", model.save_config),
        ("net.safetensors", model.save_weights),
        ("net.pth", model.save_weights),
    ):
        path = tmp_path / name
        path.write_bytes(b"mine")
        refused(model, lambda save=save, path=path: save(path), "is there already")  # type: ignore[misc]
        assert path.read_bytes() == b"mine"
        path.unlink()


def test_a_class_whose_configuration_is_wrong_is_not_built() -> None:
    wrong = config()
    wrong.node_type = "probabilstic"
    with pytest.raises(LUTNameError, match="unknown node_type 'probabilstic'"):
        SimpleFeedForward(wrong)
