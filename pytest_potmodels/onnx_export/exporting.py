"""A model's ONNX file: found in `derived/`, or made there by one process while others wait."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypedDict, Unpack

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.errors import MissingPackageError, StoreError
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.onnx_export import ladder, lut_form, onnx_model, recipes
from pytest_potmodels.onnx_export import order as orders
from pytest_potmodels.onnx_export.failures import Failures
from pytest_potmodels.onnx_export.onnx_model import OnnxModel
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.opening import open_derived
from pytest_potmodels.pipeline import Pipeline, format_of
from pytest_potmodels.settings.trust import require_trust
from pytest_potmodels.store.derived import DerivedModel, DerivedStore

_log = logging.getLogger(__name__)

#: Seconds for one export, all its strategies together.
TIMEOUT = 600.0
#: Bytes of the graph itself, beside the weights.
_MARGIN = 16 << 20
_WHERE_IT_LIES = frozenset({*IN_PLACE, "mock"})

Say = Callable[[str], None]


class How(TypedDict, total=False):
    """What of a model is to be a file, and what it is fed for that.

    opset: of the file; None: what the exporter emits by itself.
    part: a submodule by its dotted name, such as `encoder`; "": the whole model.
    samples: two or more calls of `forward`, name -> tensor, for a model whose class does not say
        what it is fed.
    family: what the model is said to be, a family or type of the recipes; "": its own configuration
        and class tell. What came as ONNX is not converted, whatever is said.
    """

    opset: int | None
    part: str
    samples: Sequence[Mapping[str, Any]]
    family: str


def exported(
    pipeline: Pipeline,
    request: ModelRequest,
    *,
    timeout: float = TIMEOUT,
    memory: int | None = None,
    force: bool = False,
    on_line: Say | None = None,
    **how: Unpack[How],
) -> OnnxModel:
    """Give a model as a verified ONNX file; it is made once per machine, in a process of its own.

    Nothing that failed the gate is ever given. A file that is there costs no import of torch, onnx
    or transformers; where they are not installed, one that was made with any versions will do.

    Args:
        pipeline: the way to the model.
        request: which one, with which head and number type.
        timeout: seconds for the export, and to wait for another process that makes the same.
        memory: bytes that the export may take; None: 3 GB and twelve times the weights.
        force: try again what failed lately; else that failure is the answer, for a day at most.
        on_line: told how far it is.
        how: opset, part, samples and family, as `How` has them.

    Raises:
        ModelUnsupportedError: nothing can export it; a reason to skip.
        ModelConversionError: what was exported is not the model, or a limit was reached.
        UnavailableError, DigestMismatchError: the model cannot be had or loaded, or is damaged.
        StoreError: the cache folder does not take the file.
        UsageError: a part that it does not have, or a family that it cannot be of.
    """
    if there := _instead(pipeline, request, how):
        return there
    order = _order(pipeline, pipeline.acquire(request), request, **how)
    derived = open_derived(pipeline.settings)
    limits = ladder.Limits(timeout, memory or ladder.default_memory(order))
    say = on_line or _log.info
    return _found(derived, order) or _made(derived, order, limits, say, force=force)


def find(pipeline: Pipeline, request: ModelRequest, **how: Unpack[How]) -> OnnxModel | None:
    """The file if it was made already; no request is made, and nothing is exported."""
    if request.id.source in _WHERE_IT_LIES:
        stored: StoredModel | None = pipeline.acquire(request)
    else:
        stored = pipeline.store.find_to_use(pipeline.pins.bound(request).id)
    if stored is None:
        return None
    return _found(open_derived(pipeline.settings), _order(pipeline, stored, request, **how))


def require(pipeline: Pipeline, request: ModelRequest, **how: Unpack[How]) -> None:
    """Pass if a model's file is there, or all is installed that makes one; no byte moves.

    Raises:
        MissingPackageError: with the pip line.
    """
    _instead(pipeline, request, how)


def _instead(pipeline: Pipeline, request: ModelRequest, how: How) -> OnnxModel | None:
    """Where nothing can be made here: what is there already, before a byte moves.

    Raises:
        MissingPackageError: neither can be.
    """
    if request.id.source in _WHERE_IT_LIES:
        return None
    try:
        orders.require_packages(request.kind, format_of(request))
    except MissingPackageError:
        if (there := find(pipeline, request, **how)) is None:
            raise
        return there
    return None


def _found(derived: DerivedStore, order: Order) -> OnnxModel | None:
    found = derived.find(order.key)
    if found is None and not orders.may_be_made(order):
        # Whoever cannot make it takes what others made, with whichever versions.
        alike = [each for each in derived.all() if each.facts.get("asked") == order.asked]
        latest = max(alike, key=lambda each: sorted(each.versions.items()), default=None)
        found = derived.find(latest.key) if latest else None
    return _described(found, order) if found else None


def _made(
    derived: DerivedStore, order: Order, limits: ladder.Limits, say: Say, *, force: bool
) -> OnnxModel:
    """Make it, unless another process is faster, or has found that it cannot be made."""
    orders.require_packages(order.stored.kind, order.stored.format)
    fresh, failures = False, Failures(derived, order.key, order.versions, limits)
    if force:
        failures.forget()
    failures.check()

    def write(folder: Path) -> Mapping[str, Any]:
        nonlocal fresh
        fresh = True
        if order.stored.kind == "lut":
            return {**lut_form.write(order, folder), "asked": order.asked}
        return {**ladder.climb(order, folder, limits, say), "asked": order.asked}

    room = 2 * order.stored.size + _MARGIN
    made = derived.admit(
        order.key,
        order.stored,
        order.versions,
        failures.kept(write),
        timeout=limits.seconds,
        room=room,
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


def _order(  # noqa: PLR0913 - the keys of `How`, with what they are by default
    pipeline: Pipeline,
    stored: StoredModel,
    request: ModelRequest,
    *,
    opset: int | None = None,
    part: str = "",
    samples: Sequence[Mapping[str, Any]] = (),
    family: str = "",
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
    order = Order(known, request.options, part, opset, own, calls)
    return orders.steered(order, family, recipes.registered())
