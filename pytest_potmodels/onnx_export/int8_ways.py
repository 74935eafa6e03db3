"""Ways to have the matrix products of a graph in eight bits, the fastest first.

What a model loses shows only when it is fed: random weights lose little in any way, trained ones
have few large activations, and then one scale for all of them is too coarse.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic

_OUTSIDE = 8 << 20
#: Weights that share a scale.
_BLOCK = 32
#: What the kernels compute in, as MatMulNBits counts: 4 is eight bits, 0 is the inputs' own type.
_EIGHT_BITS, _AS_FED = 4, 0

#: Quantises a graph, and gives the new one; may write into the folder.
Way = Callable[[Any, Path], Any]


def write(way: Way, file: Path, target: Path) -> int:
    """Write a graph in eight bits to `target`, alone in its folder; give the number of products."""
    model = onnx.load(file)
    # The quantiser infers shapes anew, and takes dynamo's own names of axes for contradictions.
    del model.graph.value_info[:]
    made = way(model, target.parent)
    for path in target.parent.iterdir():
        path.unlink()
    products: int = sum(node.op_type.startswith(_PRODUCTS) for node in made.graph.node)
    del made.metadata_props[:]
    if made.ByteSize() > _OUTSIDE:
        data = f"{target.name}.data"
        onnx.save(made, target, save_as_external_data=True, location=data, size_threshold=1024)
        made = onnx.load(target, load_external_data=False)
    target.write_bytes(made.SerializeToString(deterministic=True))
    return products


def _dynamic(model: Any, folder: Path) -> Any:
    """A scale for each output channel, and one for all activations of a call."""
    draft = folder / "draft.onnx"
    quantize_dynamic(
        model, draft, op_types_to_quantize=["MatMul"], per_channel=True,
        weight_type=QuantType.QInt8, use_external_data_format=True,
    )  # fmt: skip
    return onnx.load(draft)


def _blocks(model: Any, _folder: Path) -> Any:
    """A scale for each block of weights, and of the activations of each row."""
    return _in_blocks(model, _EIGHT_BITS)


def _weights(model: Any, _folder: Path) -> Any:
    """The weights alone: the file is smaller, and no faster."""
    return _in_blocks(model, _AS_FED)


def _in_blocks(model: Any, computed_in: int) -> Any:
    # Here, because ONNX Runtime before 1.22 has it for four bits only, under another name.
    from onnxruntime.quantization.matmul_nbits_quantizer import (  # noqa: PLC0415
        MatMulNBitsQuantizer,
    )

    quantiser = MatMulNBitsQuantizer(
        model, bits=8, block_size=_BLOCK, is_symmetric=True, accuracy_level=computed_in
    )
    quantiser.process()
    return quantiser.model.model


#: The operators of ONNX Runtime with weights in eight bits.
_PRODUCTS = ("MatMulInteger", "DynamicQuantizeMatMul", "MatMulNBits")
WAYS: Mapping[str, Way] = {"dynamic": _dynamic, "blocks": _blocks, "weights": _weights}
