"""The ONNX form of a LUT network: its bits written down. Nothing is traced, and nothing is near."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading import opened
from pytest_potmodels.onnx_export.order import Order

_FILE = "model.onnx"
_INPUT = "x"
#: What changes the file, or says what it is anyway.
_RUNTIME = {"output_tau"}
_MODE = ("eval_mode", {"deterministic", "threshold", "hard"})


def write(order: Order, folder: Path) -> Mapping[str, Any]:
    """Fill a folder with the file, checked bit for bit as it is written; give the facts about it.

    Raises:
        UsageError: something is asked of it that a circuit of bits does not have.
        MissingPackageError: NumPy, ONNX or ONNX Runtime is not installed.
    """
    _check(order)
    loaded = opened("pytest_potmodels.loading.lut").open_lut(order.stored, order.options)
    network = loaded.blank.hardened()
    writing = opened("pytest_potmodels.lut.hardened.onnx_file")
    written = writing.write_onnx(network, folder / _FILE)
    classes = ["batch", network.num_classes]
    exact = {"absolute": 0.0, "relative": 0.0}
    return {
        "own": "",
        "file": _FILE,
        "inputs": [_tensor(_INPUT, "float32", ["batch", network.input_size])],
        "outputs": [_tensor("logits", "float32", classes), _tensor("counts", "int64", classes)],
        "opset": written.opset,
        "rung": "written",
        "recipe": "lut",
        "errors": {"logits": exact, "counts": exact},
        "tolerance": 0.0,
        "shapes": [{"batch": written.samples}, {"batch": 0}, {"batch": 1}],
        "tried": [],
    }


def _check(order: Order) -> None:
    options, values = order.options, json.loads(order.options.runtime or "{}")
    asked: dict[str, Any] = {
        "part": order.part,
        "opset": order.opset,
        "samples": order.samples,
        "model type": order.family,
        "task": options.task,
        "auto_class": options.auto_class,
        "dtype": options.dtype,
    }
    asked |= {key: key for key, value in values.items() if not _is_of_bits(key, value)}
    for what, said in asked.items():
        if said:
            raise UsageError(
                f"{order.stored.id}: the ONNX form of a LUT network is its deterministic mode, "
                f"written down; it takes no {what}.",
                remedy="leave it out",
            )


def _is_of_bits(key: str, value: Any) -> bool:
    return key in _RUNTIME or (key == _MODE[0] and value in _MODE[1])


def _tensor(name: str, dtype: str, axes: list[str | int]) -> dict[str, Any]:
    return {"name": name, "dtype": dtype, "axes": axes}
