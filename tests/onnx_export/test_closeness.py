"""`assert_onnx_close`: what is close, what is said where it is not."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from loading.graphs import dense, sample
from onnx import numpy_helper

import pytest_potmodels as pot
from pytest_potmodels.loading.onnx_session import open_session


class Dense(torch.nn.Module):
    """The network of `graphs.dense`; `by` is added to one weight."""

    def __init__(self, file: Path, *, by: float = 0.0, form: str = "dict") -> None:
        super().__init__()
        held = {each.name: each for each in onnx.load(file).graph.initializer}
        weights = torch.from_numpy(numpy_helper.to_array(held["weights"]).copy())
        weights[0, 0] += by
        self.weights = torch.nn.Parameter(weights)
        self.bias = torch.nn.Parameter(torch.from_numpy(numpy_helper.to_array(held["bias"]).copy()))
        self.form = form

    def forward(self, x: torch.Tensor) -> Any:
        y = torch.relu(x @ self.weights) @ self.weights + self.bias
        return {"dict": {"y": y, "total": y.sum()}, "tuple": (y, y.sum()), "one": y}[self.form]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dense(tmp_path_factory.mktemp("graph"))


@pytest.fixture(scope="module")
def session(file: Path) -> Any:
    return open_session(file, threads=1, device="cpu")


@pytest.mark.parametrize("form", ["dict", "tuple"])
@pytest.mark.parametrize(
    "inputs",
    [{"x": torch.from_numpy(sample())}, {"x": sample()}, sample(), (torch.from_numpy(sample()),)],
    ids=["tensors by name", "arrays by name", "an array", "a tuple"],
)
def test_the_same_network_is_close_however_it_is_fed(
    file: Path, session: Any, form: str, inputs: Any
) -> None:
    pot.assert_onnx_close(Dense(file, form=form), session, inputs)


def test_what_is_not_close_is_shown_with_its_place(file: Path, session: Any) -> None:
    with pytest.raises(AssertionError) as raised:
        pot.assert_onnx_close(Dense(file, by=0.01), session, sample())
    said = str(raised.value)
    assert "outputs differ from the model's by more than 0.0001 of its largest value" in said
    assert "y: max abs error 0.0" in said
    assert "at [" in said
    assert "expected" in said
    assert "found" in said
    pot.assert_onnx_close(Dense(file, by=0.01), session, sample(), rtol=0.1)


def test_the_place_is_the_worst_one(file: Path, session: Any) -> None:
    model = Dense(file, form="dict")
    with torch.no_grad():
        model.bias[5] += 1.0
    with pytest.raises(AssertionError, match=r"y: max abs error 1, .* at \[\d, 5\]"):
        pot.assert_onnx_close(model, session, sample())


def test_a_weight_that_is_not_there_at_all_is_noticed(file: Path, session: Any) -> None:
    model = Dense(file)
    with torch.no_grad():
        model.bias.zero_()
        model.weights.zero_()
    with pytest.raises(AssertionError, match="inf of the largest value"):
        pot.assert_onnx_close(model, session, sample())


def test_nan_is_close_to_nan_alone(file: Path, session: Any) -> None:
    model = Dense(file)
    with torch.no_grad():
        model.bias[0] = float("nan")
    with pytest.raises(AssertionError, match="max abs error inf"):
        pot.assert_onnx_close(model, session, sample())
    bad = sample()
    bad[:] = np.nan
    pot.assert_onnx_close(Dense(file), session, bad)


def test_other_outputs_and_shapes_are_no_matter_of_numbers(file: Path, session: Any) -> None:
    with pytest.raises(AssertionError, match="has the outputs y, total; the model has output"):
        pot.assert_onnx_close(Dense(file, form="one"), session, sample())
    with pytest.raises(AssertionError, match=r"y: float32 \(3, 8\), expected float64 \(3, 8\)"):
        pot.assert_onnx_close(_Double(file), session, sample())


class _Double(Dense):
    def forward(self, x: torch.Tensor) -> Any:
        return {name: each.double() for name, each in super().forward(x).items()}


def test_inputs_that_it_does_not_take_are_no_difference(file: Path, session: Any) -> None:
    with pytest.raises(pot.UsageError, match="unknown input 'z'"):
        pot.assert_onnx_close(Dense(file), session, {"z": sample()})


class _Cached(Dense):
    """Returns its cache, too, as language models do that are not told otherwise."""

    def forward(self, x: torch.Tensor) -> Any:
        return {**super().forward(x), "past_key_values": object()}


def test_a_cache_of_keys_and_values_is_no_output(file: Path, session: Any) -> None:
    pot.assert_onnx_close(_Cached(file), session, sample())


def test_a_class_beside_the_right_one_is_wrong_however_many_there_are(tmp_path: Path) -> None:
    best = onnx.helper.make_graph(
        [onnx.helper.make_node("ArgMax", ["x"], ["best"], axis=-1, keepdims=0)], "best",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, ["batch", 50_000])],
        [onnx.helper.make_tensor_value_info("best", onnx.TensorProto.INT64, ["batch"])],
    )  # fmt: skip
    opsets = [onnx.helper.make_opsetid("", 18)]
    onnx.save(onnx.helper.make_model(best, opset_imports=opsets, ir_version=10), tmp_path / "m")
    logits = torch.zeros(1, 50_000)
    logits[0, 49_998] = 1
    session = open_session(tmp_path / "m", threads=1, device="cpu")
    with pytest.raises(AssertionError, match=r"not equal at \[0\]: expected 49999, found 49998"):
        pot.assert_onnx_close(_Next(), session, logits)


class _Next(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.argmax(-1) + 1


def test_a_model_in_training_is_told_of_it(file: Path, session: Any) -> None:
    with pytest.raises(AssertionError, match=r"in training mode.*eval\(\)"):
        pot.assert_onnx_close(Dense(file, by=0.01).train(), session, sample())
    with pytest.raises(AssertionError) as raised:
        pot.assert_onnx_close(Dense(file, by=0.01).eval(), session, sample())
    assert "training" not in str(raised.value)
