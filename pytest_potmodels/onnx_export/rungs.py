"""The strategies of an export, the best first: each gives a graph, or fails in its own words."""

import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any

import onnx_ir
import torch

from pytest_potmodels.onnx_export import outputs, transformers_exporter
from pytest_potmodels.onnx_export import subject as subjects
from pytest_potmodels.onnx_export.subject import Subject

#: What a strategy is given: the model, the opset (None: its own), and a folder for its files.
Rung = Callable[[Subject, int | None, Path], onnx_ir.Model]
#: The opset of the strategy that stands still.
_LEGACY_OPSET = 18


class OpsetError(Exception):
    """A strategy cannot have the opset that was asked for."""


def climb(
    rung: str, subject: Subject, opset: int | None, scratch: Path
) -> tuple[Subject, onnx_ir.Model]:
    """The graph of one strategy, and the subject as that strategy takes it.

    Whatever a library raises goes through.

    Raises:
        OpsetError: the strategy does not know the opset.
    """
    taken = subjects.static(subject) if rung in _STATIC else subject
    # A warning is an error under `python -W error`, and none of these is of the user's doing.
    flat = nullcontext() if rung in _OWN_OUTPUTS else _flat_outputs(taken)
    with warnings.catch_warnings(), torch.no_grad(), flat:
        warnings.simplefilter("ignore")
        graph = _EXPORTERS[rung](taken, opset, scratch)
    _check_opset(graph, opset)
    _in_order(graph, taken)
    return taken, graph


def _check_opset(graph: onnx_ir.Model, opset: int | None) -> None:
    """An exporter that cannot have the opset takes another one, and only warns.

    Raises:
        OpsetError: it did.
    """
    found = graph.opset_imports.get("")
    if opset is not None and found != opset:
        raise OpsetError(f"it gives opset {found}, not {opset}")


def _in_order(graph: onnx_ir.Model, subject: Subject) -> None:
    """Inputs as `forward` has them, because a session is called by position, too."""
    wanted = list(subject.example.inputs)
    found = {value.name: value for value in graph.graph.inputs}
    if sorted(map(str, found)) == sorted(wanted) and list(found) != wanted:
        graph.graph.inputs[:] = [found[name] for name in wanted]


@contextmanager
def _flat_outputs(subject: Subject) -> Iterator[None]:
    """Have the model return its tensors alone: torch.export knows few classes around them."""
    model, forward = subject.model, subject.model.forward

    @wraps(forward)
    def flat(*args: Any, **inputs: Any) -> tuple[torch.Tensor, ...]:
        named = outputs.named(forward(*args, **inputs), subject.recipe.outputs, inputs)
        # An input that is an output, too, is renamed.
        given = {id(each) for each in (*args, *inputs.values())}
        return tuple(each.clone() if id(each) in given else each for each in named.values())

    own = vars(model).get("forward")
    model.forward = flat
    try:
        yield
    finally:
        if own is None:
            del model.forward
        else:
            model.forward = own


def _dynamo(subject: Subject, opset: int | None, _scratch: Path) -> onnx_ir.Model:
    return _with_dynamo(subject, opset, optimize=True)


def _dynamo_unoptimized(subject: Subject, opset: int | None, _scratch: Path) -> onnx_ir.Model:
    """The optimizer folds and fuses, and may be what is wrong."""
    return _with_dynamo(subject, opset, optimize=False)


def _with_dynamo(subject: Subject, opset: int | None, *, optimize: bool) -> onnx_ir.Model:
    program = torch.onnx.export(
        subject.model,
        (),
        kwargs=dict(subject.example.inputs),
        dynamic_shapes=_shapes(subject),
        output_names=subject.output_names,
        opset_version=opset,
        dynamo=True,
        optimize=optimize,
        verbose=False,
    )
    assert program is not None  # noqa: S101 - dynamo gives one
    return program.model


def _shapes(subject: Subject) -> dict[str, Any]:
    """Names, not `Dim.AUTO`: they are readable, and an axis that becomes fixed is an error."""
    return {name: dict(axes) for name, axes in subject.dynamic.items()}


def _transformers(subject: Subject, opset: int | None, _scratch: Path) -> onnx_ir.Model:
    return transformers_exporter.export(subject, opset)


def _legacy(subject: Subject, opset: int | None, scratch: Path) -> onnx_ir.Model:
    """TorchScript's tracer: what depends on values is frozen silently, so the gate decides."""
    path, inputs = scratch / "legacy.onnx", subject.example.inputs
    named = subject.model.forward  # `_flat_outputs` puts it back.
    # By name, the exporter passes the defaults of all parameters between them, too.
    subject.model.forward = lambda *given: named(**dict(zip(inputs, given, strict=True)))
    torch.onnx.export(
        subject.model,
        tuple(inputs.values()),
        path,
        input_names=list(subject.example.inputs),
        output_names=subject.output_names,
        dynamic_axes={**subject.dynamic, **_free_outputs(subject)},
        opset_version=min(opset or _LEGACY_OPSET, _LEGACY_OPSET),
        dynamo=False,
    )
    return onnx_ir.load(path)


def _free_outputs(subject: Subject) -> dict[str, dict[int, str]]:
    """The axes of outputs whose size differs between the rounds."""
    found: dict[str, dict[int, str]] = {}
    for name, expected in subject.example.expected.items():
        shapes = [each.expected[name].shape for each in subject.rounds]
        found[name] = {
            place: f"{name}_{place}"
            for place in range(expected.dim())
            if len({shape[place] for shape in shapes}) > 1
        }
    return found


_EXPORTERS: Mapping[str, Rung] = {
    "dynamo": _dynamo,
    "dynamo-unoptimized": _dynamo_unoptimized,
    "transformers": _transformers,
    "static-sequence": _dynamo,
    "legacy": _legacy,
}
_STATIC = frozenset({"static-sequence"})
_OWN_OUTPUTS = frozenset({"transformers"})
