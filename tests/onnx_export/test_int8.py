"""The int8 variant: smaller and near enough, or refused; made once, by a child."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from loading.graphs import dense
from onnx import TensorProto, helper, numpy_helper

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import ModelConversionError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.onnx_export import OnnxInput, OnnxModel
from pytest_potmodels.onnx_export.int8 import int8
from pytest_potmodels.onnx_export.int8_child import agreeing, cosine_of, fed_with
from pytest_potmodels.store.derived import DerivedStore, MadeFrom
from pytest_potmodels.store.layout import Layout

STORED = StoredModel(ModelId("file", "graph"), Path(), "language", "transformers", ())


def model(file: Path, width: int) -> OnnxModel:
    """What an export would have said of the file."""
    return OnnxModel(
        key="onnx-0", path=file.parent, file=file, opset=18, rung="dynamo", recipe="",
        inputs=(OnnxInput("x", "float32", ("batch", width)),),
        outputs=(OnnxInput("y", "float32", ("batch", width)),),
        errors={}, tolerance=1e-4, shapes=({"batch": 4}, {"batch": 1}), tried=(), versions={},
        source="converted", digest=hash_file(file).sha256,
        derived_from=MadeFrom("file", "graph", None, ""), size=file.stat().st_size,
    )  # fmt: skip


def store(cache: Path) -> DerivedStore:
    return DerivedStore(Layout.at(cache))


def test_weights_in_eight_bits_are_smaller_and_made_once(tmp_path: Path) -> None:
    file = dense(tmp_path / "graph", width=256)
    made = int8(model(file, 256), STORED, store(tmp_path), timeout=60)
    assert made.size < file.stat().st_size / 2
    assert min(made.cosine.values()) >= 0.9995
    again = int8(model(file, 256), STORED, store(tmp_path), timeout=0.01)
    assert again == made
    assert not list((tmp_path / ".pot" / "partial").glob("*int8*"))


def one_product(folder: Path, weights: Any, keep: Any) -> Path:
    """`y = (x * keep) @ weights`."""
    folder.mkdir()
    width = len(keep)
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "keep"], ["kept"]),
         helper.make_node("MatMul", ["kept", "weights"], ["y"])],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", width])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", width])],
        [numpy_helper.from_array(weights.astype("float32"), "weights"),
         numpy_helper.from_array(keep.astype("float32"), "keep")],
    )  # fmt: skip
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.save(made, folder / "model.onnx")
    return folder / "model.onnx"


def test_what_is_too_far_is_refused_with_every_way_and_leaves_nothing(tmp_path: Path) -> None:
    draw = np.random.default_rng(0)
    weights, keep = draw.standard_normal((64, 64)), np.ones(64)
    weights[::16] *= 1e6  # These rows set the scale of all, and nothing is fed to them.
    keep[::16] = 0
    file = one_product(tmp_path / "graph", weights, keep)
    with pytest.raises(ModelConversionError, match="refused: dynamic: the cosine of y") as raised:
        int8(model(file, 64), STORED, store(tmp_path), timeout=60)
    assert "; blocks: " in raised.value.message
    assert "; weights: " in raised.value.message
    assert not list((tmp_path / "derived").glob("*"))


def test_a_network_without_products_has_no_use_for_it(tmp_path: Path) -> None:
    folder = tmp_path / "graph"
    folder.mkdir()
    shape: list[str | int | None] = ["batch", 1, 8, 8]
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "kernel"], ["y"], pads=[1, 1, 1, 1])], "conv",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.ones((1, 1, 3, 3), "float32"), "kernel")],
    )  # fmt: skip
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), folder / "model.onnx")
    known = model(folder / "model.onnx", 8)
    known = replace(known, inputs=(OnnxInput("x", "float32", ("batch", 1, 8, 8)),))
    with pytest.raises(UsageError, match="has no products with matrices of weights"):
        int8(known, STORED, store(tmp_path), timeout=60)


def test_time_that_is_over_ends_it(tmp_path: Path) -> None:
    file = dense(tmp_path / "graph")
    with pytest.raises(ModelConversionError, match=r"was not quantised within 0\.01 s"):
        int8(model(file, 8), STORED, store(tmp_path), timeout=0.01)


def test_memory_that_is_over_ends_it_and_is_not_tried_again(tmp_path: Path) -> None:
    known = model(dense(tmp_path / "graph"), 8)
    for said in ("was not quantised: it took .* GB of memory, 0.0 GB are allowed", "just now"):
        with pytest.raises(ModelConversionError, match=said):
            int8(known, STORED, store(tmp_path), timeout=60, memory=10_000_000)
    assert int8(known, STORED, store(tmp_path), timeout=60).way


def test_a_file_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"no graph")
    with pytest.raises(ModelConversionError, match=r"was not quantised: .*Error"):
        int8(model(file, 8), STORED, store(tmp_path), timeout=60)


def test_the_cosine_of_nothing_is_none() -> None:
    one = np.array([1.0, 2.0])
    assert cosine_of(one, 2 * one) == pytest.approx(1)
    assert cosine_of(one, -one) == pytest.approx(-1)
    assert cosine_of(one, 0 * one) == 0
    assert cosine_of(0 * one, 0 * one) == 1
    assert cosine_of(one, np.array([np.nan, 1.0])) == 0


def test_the_cosine_is_of_what_no_mask_hides() -> None:
    least = float(np.finfo(np.float32).min)
    one, other = (np.array([least, 1.0, y], "float32") for y in (2.0, -2.0))
    assert cosine_of(one, one) == pytest.approx(1)
    assert cosine_of(one, other) < 0
    assert cosine_of(one, np.array([0.0, 1.0, 2.0], "float32")) == 0


def test_rows_agree_where_the_model_is_sure() -> None:
    one = np.array([[9.0, 1.0], [5.0, 4.99], [1.0, 9.0]])
    assert agreeing(one, one) == (2, 2)
    assert agreeing(one, one[:, ::-1]) == (2, 0)


def test_inputs_are_words_masks_and_noise() -> None:
    inputs: list[list[Any]] = [
        ["input_ids", "int64", ["batch", "sequence"]],
        ["attention_mask", "int64", ["batch", "sequence"]],
        ["token_type_ids", "int64", ["batch", "sequence"]],
        ["pixel_values", "float32", ["batch", 3, 4, 4]],
    ]
    fed = fed_with(inputs, {"batch": 3, "sequence": 9}, 300, seed=1)
    assert fed["input_ids"].shape == (3, 9)
    assert 0 <= fed["input_ids"].min() <= fed["input_ids"].max() < 300
    assert fed["attention_mask"].sum(axis=1).tolist() == [9, 6, 6]
    assert not fed["token_type_ids"].any()
    assert fed["pixel_values"].dtype == np.float32
