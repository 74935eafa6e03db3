"""Small ONNX files, made without an export."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def dense(folder: Path, *, width: int = 8, seed: int = 0, data: str = "", bad: str = "") -> Path:
    """`y = relu(x @ weights) @ weights + bias`, and `total`, the sum of the rows of y.

    Args:
        folder: where `model.onnx` goes.
        width: of all that is multiplied.
        seed: of the weights.
        data: the file for the weights, beside it.
        bad: what the graph says about that file in its place.
    """
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(seed)
    weights = (draw.standard_normal((width, width)) / width**0.5).astype("float32")
    bias = draw.standard_normal(width).astype("float32")
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "weights"], ["first"]),
            helper.make_node("Relu", ["first"], ["kept"]),
            helper.make_node("MatMul", ["kept", "weights"], ["second"]),
            helper.make_node("Add", ["second", "bias"], ["y"]),
            helper.make_node("ReduceSum", ["y"], ["total"], keepdims=0),
        ],
        "dense",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", width])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", width]),
            helper.make_tensor_value_info("total", TensorProto.FLOAT, []),
        ],
        [numpy_helper.from_array(weights, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    file = folder / "model.onnx"
    if not data:
        onnx.save(model, file)
        return file
    onnx.save(model, file, save_as_external_data=True, location=data, size_threshold=0)
    if bad:
        said = onnx.load(file, load_external_data=False)
        for each in said.graph.initializer:
            next(e for e in each.external_data if e.key == "location").value = bad
        file.write_bytes(said.SerializeToString())
    return file


def sample(width: int = 8, rows: int = 3) -> "np.ndarray[tuple[int, int], np.dtype[np.float32]]":
    """An input of `dense`."""
    drawn: np.ndarray[tuple[int, int], np.dtype[np.float32]]
    drawn = np.random.default_rng(1).standard_normal((rows, width)).astype("float32")
    return drawn
