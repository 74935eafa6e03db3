"""A file that is ONNX already: checked and described, not converted."""

from collections.abc import Callable
from typing import Any

import onnx
import onnxruntime

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.loading import onnx_files
from pytest_potmodels.onnx_export.refusals import GateError

Say = Callable[[str], None]

#: ONNX's name of an element type -> torch's.
_TYPES = {"float": "float32", "double": "float64"}


def described(stored: StoredModel, say: Say) -> dict[str, Any]:
    """The facts about the one file of a stored model.

    Raises:
        UnavailableError: it has several.
        GateError: the checker or ONNX Runtime refuses it.
    """
    file = onnx_files.of_stored(stored).file
    own = file.relative_to(stored.path).as_posix()
    say(f"checking {own}")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    try:
        onnx.checker.check_model(str(file))
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        lines = str(error).strip().splitlines() or [type(error).__name__]
        raise GateError(f"it is no ONNX file that can be run: {lines[0][:300]}") from error
    header = onnx.load(file, load_external_data=False)
    return {
        "own": own,
        "file": file.name,
        "rung": "original",
        "recipe": "",
        # A graph of another domain's operators alone has none.
        "opset": next((e.version for e in header.opset_import if e.domain in ("", "ai.onnx")), 0),
        "nodes": len(header.graph.node),
        "inputs": [_tensor(each) for each in session.get_inputs()],
        "outputs": [_tensor(each) for each in session.get_outputs()],
        "tolerance": 0.0,
        "errors": {},
        "shapes": [],
        "refused": [],
    }


def _tensor(each: Any) -> dict[str, Any]:
    plain = each.type.removeprefix("tensor(").removesuffix(")")
    axes = [axis if isinstance(axis, int) else str(axis or f"{each.name}_{place}")
            for place, axis in enumerate(each.shape)]  # fmt: skip
    return {"name": each.name, "dtype": _TYPES.get(plain, plain), "axes": axes}
