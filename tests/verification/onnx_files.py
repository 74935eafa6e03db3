"""ONNX files as repositories hold them, made here: a few hundred bytes each."""

import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def tiny_onnx(*, inputs: tuple[str, ...] = ("input_ids", "attention_mask")) -> bytes:
    """A graph that embeds tokens and masks them."""
    return bytes(_model(inputs).SerializeToString())


def with_external_data() -> tuple[bytes, bytes]:
    """The same with its weights in a file of their own: the graph, and `model.onnx_data`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        onnx.save_model(
            _model(("input_ids", "attention_mask")), path, save_as_external_data=True,
            location="model.onnx_data", size_threshold=1024,
        )  # fmt: skip
        return path.read_bytes(), path.with_name("model.onnx_data").read_bytes()


def _model(inputs: tuple[str, ...]) -> onnx.ModelProto:
    table = np.random.default_rng(0).standard_normal((64, 32)).astype("float32")
    ids, mask = inputs
    axes = ["batch", "sequence"]
    nodes = [
        helper.make_node("Gather", ["table", ids], ["embedded"]),
        helper.make_node("Cast", [mask], ["weight"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["weight", "last"], ["weights"]),
        helper.make_node("Mul", ["embedded", "weights"], ["last_hidden_state"]),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(name, TensorProto.INT64, axes) for name in inputs],
        [helper.make_tensor_value_info("last_hidden_state", TensorProto.FLOAT, [*axes, 32])],
        [
            numpy_helper.from_array(table, "table"),
            numpy_helper.from_array(np.array([-1]), "last"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
