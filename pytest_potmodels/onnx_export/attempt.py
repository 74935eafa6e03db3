"""One strategy for one model, in a process of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pytest_potmodels.onnx_export import process
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.onnx_export.process import Ended, Limits

CHILD = "pytest_potmodels.onnx_export.child"


def attempt(
    order: Order, rung: str, folder: Path, limits: Limits, on_line: Callable[[str], None]
) -> Ended:
    """Have a child export into a folder; nothing of it is left when this returns or raises."""
    return process.run(
        CHILD, lambda scratch: _told(order, rung, folder, scratch), folder, limits, on_line
    )


def _told(order: Order, rung: str, folder: Path, scratch: Path) -> dict[str, Any]:
    samples = ""
    if order.samples:
        from pytest_potmodels.onnx_export import sample_file  # noqa: PLC0415 - brings numpy

        samples = str(sample_file.write(order.samples, scratch))
    return {"order": order.as_json(), "rung": rung, "folder": str(folder), "samples": samples}
