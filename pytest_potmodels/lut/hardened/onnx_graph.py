"""A hardened network as an ONNX graph of standard operators.

Inside, the batch is the last axis, as in the torch network: what one LUT reads is a row. Tables
stay eight bits to a byte in the file; runtimes unpack such constants once, when they open it.
"""

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from pytest_potmodels.lut.hardened.layer import HardenedLayer
from pytest_potmodels.lut.hardened.network import HardenedNetwork

#: BitwiseAnd came with it.
OPSET = 18
#: That opset's; older runtimes read no newer one.
_IR_VERSION = 8
_BYTE = 8


def model_of(network: HardenedNetwork) -> onnx.ModelProto:
    """The graph: `x` (batch, F) float32 -> `logits` float32 and `counts` int64, (batch, C).

    Logits of a sample with a NaN are NaN.
    """
    graph = _Graph()
    bits = _encoded(graph, network)
    for place, layer in enumerate(network.layers):
        bits = _looked_up(graph, f"layer{place}", layer, bits)
    _counted(graph, network, bits)
    return helper.make_model(
        graph.finished(network),
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=_IR_VERSION,
        producer_name="pytest-potmodels",
        doc_string=f"LUT network {network.name}, hardened; sha256 {network.digest}".strip(),
    )


class _Graph:
    """Nodes and constants while they are put together."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, name: str, value: object, dtype: str) -> str:
        """Keep an array under a name, and give that name."""
        self._constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append an operator, and give its output's name."""
        self._nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def finished(self, network: HardenedNetwork) -> onnx.GraphProto:
        """The graph of what was appended."""
        answer: list[str | int | None] = ["batch", network.num_classes]
        return helper.make_graph(
            self._nodes,
            "hardened",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", network.input_size])],
            [
                helper.make_tensor_value_info("logits", TensorProto.FLOAT, answer),
                helper.make_tensor_value_info("counts", TensorProto.INT64, answer),
            ],
            self._constants,
        )


def _encoded(graph: _Graph, network: HardenedNetwork) -> str:
    """Bits (F b, batch), int32."""
    last = graph.constant("axis_after", [2], "int64")
    # A 0 keeps the axis that is there, so that a batch may be empty.
    flat = graph.constant("flat", [0, network.thresholds.size], "int64")
    thresholds = graph.constant("thresholds", network.thresholds, "float32")
    column = graph.node("Unsqueeze", ["x", last], "x_column")
    above = graph.node("Greater", [column, thresholds], "above")
    whole = graph.node("Cast", [above], "above_int", to=TensorProto.INT32)
    rows = graph.node("Reshape", [whole, flat], "encoded_rows")
    return graph.node("Transpose", [rows], "encoded", perm=[1, 0])


def _looked_up(graph: _Graph, name: str, layer: HardenedLayer, bits: str) -> str:
    """The bits of the layer below (inputs, batch) -> those of this one (W, batch), int32."""
    kind = np.min_scalar_type(int(layer.mapping.max())).name
    address = ""
    for place in reversed(range(layer.inputs)):
        own = f"{name}_x{place}"
        which = graph.constant(f"{own}_index", layer.mapping[:, place], kind)
        index = graph.node("Cast", [which], f"{own}_index_int", to=TensorProto.INT32)
        read = graph.node("Gather", [bits, index], own, axis=0)
        if address:
            doubled = graph.node("Add", [address, address], f"{own}_doubled")
            read = graph.node("Add", [doubled, read], f"{own}_address")
        address = read
    table = _table(graph, name, layer)
    return graph.node("GatherElements", [table, address], f"{name}_bits", axis=1)


def _table(graph: _Graph, name: str, layer: HardenedLayer) -> str:
    """The tables one bit a number: (W, 2^n), int32."""
    size = 2**layer.inputs
    packed = graph.constant(f"{name}_tables", layer.tables[:, :, None], "uint8")
    places = graph.constant(f"{name}_places", np.arange(min(size, _BYTE)), "uint8")
    one = graph.constant(f"{name}_one", 1, "uint8")
    shape = graph.constant(f"{name}_shape", [layer.width, size], "int64")
    shifted = graph.node("BitShift", [packed, places], f"{name}_shifted", direction="RIGHT")
    lowest = graph.node("BitwiseAnd", [shifted, one], f"{name}_lowest")
    rows = graph.node("Reshape", [lowest, shape], f"{name}_rows")
    return graph.node("Cast", [rows], f"{name}_table", to=TensorProto.INT32)


def _counted(graph: _Graph, network: HardenedNetwork, bits: str) -> None:
    """The outputs `counts` and `logits` of the last layer's bits (W, batch)."""
    size = network.layers[-1].width // network.num_classes
    groups = graph.constant("groups", [0, network.num_classes, size], "int64")
    axis = graph.constant("axis_of_group", [2], "int64")
    tau = graph.constant("output_tau", network.output_tau, "float32")
    rows = graph.node("Transpose", [bits], "outputs", perm=[1, 0])
    grouped = graph.node("Reshape", [rows, groups], "grouped")
    summed = graph.node("ReduceSum", [grouped, axis], "summed", keepdims=0)
    graph.node("Cast", [summed], "counts", to=TensorProto.INT64)
    numbers = graph.node("Cast", [summed], "summed_float", to=TensorProto.FLOAT)
    divided = graph.node("Div", [numbers, tau], "divided")
    graph.node("Where", [_has_nan(graph), _nan(graph), divided], "logits")


def _has_nan(graph: _Graph) -> str:
    """Whether a sample has a NaN: (batch, 1). It is above no threshold, and would pass for a 0."""
    axis = graph.constant("axis_of_features", [1], "int64")
    each = graph.node("IsNaN", ["x"], "x_is_nan")
    number = graph.node("Cast", [each], "x_is_nan_float", to=TensorProto.FLOAT)
    most = graph.node("ReduceMax", [number, axis], "x_has_nan_float", keepdims=1)
    return graph.node("Cast", [most], "x_has_nan", to=TensorProto.BOOL)


def _nan(graph: _Graph) -> str:
    return graph.constant("nan", np.nan, "float32")
