"""A process that goes one strategy: `python -m` this, told in a line of JSON what to export.

It says how far it is and what it came to on what was its standard output, a JSON object in a
line each. All that libraries print goes to the standard error.
"""

import json
import os
import sys
import threading
import traceback
from pathlib import Path
from typing import IO, Any

from pytest_potmodels.errors import PotModelsError, Reason, UsageError
from pytest_potmodels.onnx_export.lifeline import die_with_parent
from pytest_potmodels.store.layout import is_full

_KINDS = {
    "UnfitError": "unfit",
    "NotInferredError": "unfit",
    "NoTensorsError": "unfit",
    "GateError": "gate",
    "TorchExportError": "capture",
    "MemoryError": "memory",
}
#: What is ours says all by itself.
_PLAIN = frozenset({"GateError", "UnfitError", "NotInferredError", "NotHereError", "OpsetError"})
#: Characters of a failure that are kept.
_SHOWN = 500


class _Line:
    """The way to the process that started this one."""

    def __init__(self, out: IO[str]) -> None:
        self._out = out

    def say(self, **message: Any) -> None:
        self._out.write(json.dumps(message) + "\n")
        self._out.flush()

    def tell(self, text: str) -> None:
        self.say(line=text)


def main() -> None:
    """Do what the first line of the input says."""
    order = json.loads(sys.stdin.readline())
    die_with_parent(order.pop("parent"))
    line = _Line(_own_output())
    threading.current_thread().name = "potmodels-onnx"
    try:
        facts = _run(line, **order)
    except PotModelsError as error:
        traceback.print_exception(error)
        usage = isinstance(error, UsageError)
        reason = "" if usage else str(getattr(error, "reason", Reason.NOT_LOADABLE))
        line.say(refused={"reason": reason, "message": error.message, "remedy": error.remedy})
    # What a library does with a model that it does not like is anybody's guess.
    except Exception as error:  # noqa: BLE001
        traceback.print_exception(error)
        line.say(failed={"kind": _kind(error), "why": _words(error)})
    else:
        line.say(done=facts)


def _run(line: _Line, *, order: dict[str, Any], rung: str, folder: str, samples: str) -> Any:
    from pytest_potmodels import extras  # noqa: PLC0415

    if rung == "original":
        return _described(line, order)
    line.tell("importing torch and onnx")
    for package in ("torch", "onnx", "onnxscript", "onnxruntime"):
        extras.require(package)
    from pytest_potmodels.onnx_export import work  # noqa: PLC0415

    return work.done(order, rung, Path(folder), samples, line.tell)


def _described(line: _Line, order: dict[str, Any]) -> Any:
    """What came as ONNX is looked at without torch."""
    from pytest_potmodels import extras  # noqa: PLC0415

    for package in ("onnx", "onnxruntime"):
        extras.require(package)
    from pytest_potmodels.onnx_export import order as orders  # noqa: PLC0415
    from pytest_potmodels.onnx_export import original  # noqa: PLC0415

    return original.described(orders.from_json(order).stored, line.tell)


def _kind(error: Exception) -> str:
    """By name, because the classes are behind imports that may be what failed."""
    if isinstance(error, OSError) and is_full(error):
        return "full"
    return _KINDS.get(type(error).__name__, "export")


def _words(error: Exception) -> str:
    """The first line that says something: torch puts a page of advice around it."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    # torch.onnx's own summary of what torch.export said.
    after = [each for each in lines if each.startswith("<class ")]
    text = (after or lines or [""])[0]
    if type(error).__name__ in _PLAIN:
        return text[:_SHOWN]
    return f"{type(error).__name__}: {text}"[:_SHOWN]


def _own_output() -> IO[str]:
    """The standard output for this module alone; what others print goes to the standard error."""
    own = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return own


if __name__ == "__main__":
    main()
