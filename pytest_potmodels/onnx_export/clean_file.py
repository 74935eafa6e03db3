"""A graph on disk: nothing of this machine in it, the same bytes for the same graph."""

from collections.abc import Iterable
from pathlib import Path

import onnx
import onnx_ir
from onnx_ir.passes.common import ClearMetadataAndDocStringPass

MODEL = "model.onnx"
DATA = f"{MODEL}.data"
#: Bytes of weights from which they lie in a file of their own: it is mapped, not copied.
_OUTSIDE = 8 << 20
#: `/usr` may stand among weights by chance.
_TELLING = 8


def write(model: onnx_ir.Model, folder: Path) -> Path:
    """Write a graph without the places and notes of whoever made it; give the file.

    Each node of dynamo's carries a stack trace with absolute paths.
    """
    path = folder / MODEL
    cleared = ClearMetadataAndDocStringPass()(model).model
    cleared.metadata_props.clear()
    cleared.graph.metadata_props.clear()
    for function in cleared.functions.values():
        function.metadata_props.clear()
    if _weight(cleared) < _OUTSIDE:
        proto = onnx_ir.to_proto(cleared)
    else:
        onnx_ir.save(cleared, path, external_data=DATA)
        proto = onnx.load(path, load_external_data=False)
    for described in (*proto.graph.value_info, *proto.graph.input, *proto.graph.output):
        described.ClearField("metadata_props")
    path.write_bytes(proto.SerializeToString(deterministic=True))
    return path


def _weight(model: onnx_ir.Model) -> int:
    tensors = (value.const_value for value in model.graph.initializers.values())
    return sum(tensor.nbytes for tensor in tensors if tensor is not None)


def paths_in(file: Path, places: Iterable[str]) -> list[str]:
    """Those of these folders of the machine that a file names."""
    content = file.read_bytes()
    return [place for place in places if len(place) >= _TELLING and place.encode() in content]
