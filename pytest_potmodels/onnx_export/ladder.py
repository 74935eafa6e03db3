"""Strategy after strategy until a file passes the gate; why the others did not is kept."""

import errno
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pytest_potmodels.errors import (
    MissingPackageError,
    ModelConversionError,
    ModelUnsupportedError,
    PotModelsError,
    Reason,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.onnx_export import process
from pytest_potmodels.onnx_export.attempt import attempt
from pytest_potmodels.onnx_export.onnx_model import Tried
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.onnx_export.process import Ended
from pytest_potmodels.store import disk

#: The best first. An export is deterministic, so none is tried twice.
RUNGS = ("dynamo", "dynamo-unoptimized", "transformers", "static-sequence", "legacy")
#: Formats whose models take nothing but images, or are not transformers'.
_SENSELESS = {
    "torchvision": ("transformers", "static-sequence"),
    "mock": ("transformers",),
}
#: Bytes for the libraries, and for each byte of weights: twice of what the largest case took.
_BASE, _TIMES = 3 << 30, 12


def default_memory(order: Order) -> int:
    """Bytes that a child may take."""
    return _BASE + _TIMES * order.stored.size


@dataclass(frozen=True)
class Limits:
    """Of all strategies together in seconds, and of each in bytes."""

    seconds: float
    memory: int


def climb(
    order: Order, folder: Path, limits: Limits, on_line: Callable[[str], None]
) -> dict[str, Any]:
    """Fill a folder with a file that has passed the gate; give the facts about it.

    Raises:
        ModelUnsupportedError: no strategy can export it, or nothing says what it is fed.
        ModelConversionError: what was exported is not the model; or time or memory was over.
        UnavailableError: the model cannot be loaded.
        UsageError: a head or a part that it does not have.
    """
    until = process.Limits(time.monotonic() + limits.seconds, limits.memory)
    tried: list[Tried] = []
    for rung in _sensible(order):
        if rung == "dynamo-unoptimized" and tried and tried[-1].kind == "capture":
            continue  # It begins with the very step that failed.
        ended = attempt(order, rung, folder, until, on_line)
        if ended.kind == "done" and ended.facts is not None:
            return {**ended.facts, "tried": [asdict(each) for each in tried]}
        _stop_if_useless(order, ended, tried, limits)
        tried.append(Tried(rung, ended.kind, ended.why))
        on_line(f"{rung} failed: {ended.why}")
        _emptied(folder)
    raise _verdict(order, tried)


def _sensible(order: Order) -> Iterator[str]:
    if order.stored.format == "onnx":
        yield "original"
        return
    without = _SENSELESS.get(order.stored.format, ())
    yield from (rung for rung in RUNGS if rung not in without)


def _emptied(folder: Path) -> None:
    """What a strategy left half done is not the next one's."""
    for path in folder.iterdir():
        disk.delete(path)


def _stop_if_useless(order: Order, ended: Ended, tried: list[Tried], limits: Limits) -> None:
    """Pass if another strategy may come further.

    Raises:
        PotModelsError: none will.
        OSError: the disk is full.
    """
    name, log = _name(order), [str(each) for each in tried]
    match ended.kind:
        case "refused" if ended.facts is not None:
            raise _refusal(ended.facts)
        case "full":  # The store says what to do about a full disk.
            raise OSError(errno.ENOSPC, ended.why)
        case "unfit" if not tried:
            raise ModelUnsupportedError(
                f"{name} cannot be exported to ONNX: {ended.why}.",
                remedy="pytest_potmodels.onnx_export.register_recipe(Recipe(...)) says what it is "
                "fed, or exported(..., samples=[...]) shows it",
            )
        case "timeout":
            raise ModelConversionError(
                f"{name} was not exported to ONNX within {limits.seconds:g} s.{_told(tried)}",
                tried=log,
                remedy="give it more time: timeout=..., potmodels export --timeout SECONDS",
            )


def _refusal(facts: Any) -> PotModelsError:
    """The error of ours that the child met, as it would have been raised here."""
    message, remedy = str(facts["message"]), str(facts["remedy"])
    if not facts["reason"]:
        return UsageError(message, remedy=remedy)
    if facts["reason"] == Reason.PACKAGE_MISSING:
        return MissingPackageError(message, remedy=remedy)
    return UnavailableError(message, reason=Reason(facts["reason"]), remedy=remedy)


def _verdict(order: Order, tried: list[Tried]) -> PotModelsError:
    """Wrong numbers of a strategy that is sound are an error; what no strategy can is none."""
    log = [str(each) for each in tried]
    if order.stored.format == "onnx":
        said = f"{_name(order)} came as ONNX, and may not be handed out.{_told(tried)}"
        return ModelConversionError(said, tried=log, remedy="another file or revision")
    said = f"{_name(order)} cannot be exported to ONNX.{_told(tried)}"
    # TorchScript's tracer freezes what depends on values: that the gate stops it is no surprise.
    wrong = [e for e in tried if e.kind in ("gate", "died", "memory") and e.rung != "legacy"]
    if wrong:
        short = any(each.kind == "memory" for each in wrong)
        return ModelConversionError(said, tried=log, remedy=_MEMORY if short else _REPORT)
    return ModelUnsupportedError(said, tried=log, remedy="test it with PyTorch, or report it")


_MEMORY = "it may take more: pytest_potmodels.onnx_export.exported(..., memory=BYTES)"
_REPORT = "a newer torch may export it: pip install --upgrade torch onnxscript onnx"


def _told(tried: list[Tried]) -> str:
    return "".join(f"\n  {each}" for each in tried)


def _name(order: Order) -> str:
    return f"{order.stored.id} ({order.part})" if order.part else str(order.stored.id)
