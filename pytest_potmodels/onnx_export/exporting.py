"""A model's ONNX file: found in `derived/`, or made there by one process while others wait."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.onnx_export import ladder, onnx_model, recipes
from pytest_potmodels.onnx_export import order as orders
from pytest_potmodels.onnx_export.onnx_model import OnnxModel
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.opening import open_derived
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.settings.trust import require_trust
from pytest_potmodels.store.derived import DerivedModel, DerivedStore

_log = logging.getLogger(__name__)

#: Seconds for one export, all its strategies together.
TIMEOUT = 600.0
#: Bytes of the graph itself, beside the weights.
_MARGIN = 16 << 20
_WHERE_IT_LIES = frozenset({"package", "file", "mock"})

Say = Callable[[str], None]


def exported(  # noqa: PLR0913 - what may differ from call to call
    pipeline: Pipeline,
    request: ModelRequest,
    *,
    timeout: float = TIMEOUT,
    memory: int | None = None,
    opset: int | None = None,
    part: str = "",
    samples: Sequence[Mapping[str, Any]] = (),
    on_line: Say | None = None,
) -> OnnxModel:
    """Give a model as a verified ONNX file; it is made once per machine, in a process of its own.

    Nothing that failed the gate is ever given. A file that is there costs no import of torch, onnx
    or transformers.

    Args:
        pipeline: the way to the model.
        request: which one, with which head and number type.
        timeout: seconds for the export, and to wait for another process that makes the same.
        memory: bytes that the export may take; None: 3 GB and twelve times the weights.
        opset: of the file; None: what the exporter emits by itself.
        part: a submodule by its dotted name, such as `encoder`; "": the whole model.
        samples: two or more calls of `forward`, name -> tensor, for a model whose class does not
            say what it is fed.
        on_line: told how far it is.

    Raises:
        ModelUnsupportedError: nothing can export it; a reason to skip.
        ModelConversionError: what was exported is not the model, or a limit was reached.
        UnavailableError: the model cannot be had or loaded.
        DigestMismatchError: its bytes are wrong.
        StoreError: the cache folder does not take the file.
    """
    orders.require_packages()
    order = _order(pipeline, pipeline.acquire(request), request, opset, part, samples)
    if found := _found(open_derived(pipeline.settings), order):
        return found
    limits = ladder.Limits(timeout, memory or ladder.default_memory(order))
    return _made(open_derived(pipeline.settings), order, limits, on_line or _log.info)


def find(
    pipeline: Pipeline,
    request: ModelRequest,
    *,
    opset: int | None = None,
    part: str = "",
    samples: Sequence[Mapping[str, Any]] = (),
) -> OnnxModel | None:
    """The file if it was made already; no request is made, and nothing is exported."""
    if request.id.source in _WHERE_IT_LIES:
        stored: StoredModel | None = pipeline.acquire(request)
    else:
        stored = pipeline.store.find_to_use(pipeline.pins.bound(request).id)
    if stored is None:
        return None
    order = _order(pipeline, stored, request, opset, part, samples)
    return _found(open_derived(pipeline.settings), order)


def _found(derived: DerivedStore, order: Order) -> OnnxModel | None:
    found = derived.find(order.key)
    return _described(found, order) if found else None


def _made(derived: DerivedStore, order: Order, limits: ladder.Limits, say: Say) -> OnnxModel:
    """Make it, unless another process is faster."""
    fresh = False

    def write(folder: Path) -> Mapping[str, Any]:
        nonlocal fresh
        fresh = True
        return ladder.climb(order, folder, limits, say)

    room = 2 * order.stored.size + _MARGIN
    made = derived.admit(
        order.key, order.stored, order.versions, write, timeout=limits.seconds, room=room
    )
    return replace(_described(made, order), fresh=fresh)


def _described(found: DerivedModel, order: Order) -> OnnxModel:
    try:
        return onnx_model.from_derived(found, order.stored)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreError(
            f"{found.path} has no facts of an export ({type(error).__name__}: {error}).",
            remedy=f"delete {found.path}",
        ) from error


def _order(
    pipeline: Pipeline,
    stored: StoredModel,
    request: ModelRequest,
    opset: int | None,
    part: str,
    samples: Sequence[Mapping[str, Any]],
) -> Order:
    if stored.format == "torch_hub":
        require_trust(pipeline.settings.trust, stored.id, stored.revision or "")
    known = replace(stored, kind=request.kind)
    if stored.format == "weights" and request.architecture:
        known = replace(known, format="torchvision", architecture=request.architecture)
    own = orders.concerned(known, recipes.registered())
    calls: tuple[Mapping[str, Any], ...] = ()
    if samples:
        from pytest_potmodels.onnx_export import sample_file  # noqa: PLC0415 - brings numpy

        calls = sample_file.arrays(samples)
    return Order(known, request.options, part, opset, own, calls)
