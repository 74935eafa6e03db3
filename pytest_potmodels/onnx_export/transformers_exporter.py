"""The one place that knows transformers' own exporter, whose interface is still on the move."""

import copy
import warnings
from importlib import import_module
from typing import Any

import onnx_ir
from torch.export import Dim

from pytest_potmodels.onnx_export.subject import Subject


class NotHereError(Exception):
    """The installed transformers has no exporter, or one of another interface."""


def export(subject: Subject, opset: int | None) -> onnx_ir.Model:
    """The graph as `transformers.exporters` makes it.

    Raises:
        NotHereError: there is no such exporter, or the model is no transformers model.
    """
    if not hasattr(subject.model, "config") or not hasattr(subject.model, "main_input_name"):
        raise NotHereError("it is no model of transformers")
    exporter, settings = _parts()
    config = settings(dynamic_shapes=_shapes(subject), opset_version=opset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exported = exporter.export(subject.model, copy.deepcopy(subject.example.inputs), config)
    graph = _graph(exported)
    # It writes `mems.0` for what others call `mems_0`; the gate compares the numbers.
    if len(graph.graph.outputs) == len(subject.output_names):
        for value, name in zip(graph.graph.outputs, subject.output_names, strict=True):
            value.name = name
    return graph


def _parts() -> tuple[Any, Any]:
    """The exporter and its class of settings, as transformers 5.13 and 5.23 have them."""
    try:
        module = import_module("transformers.exporters.exporter_onnx")
        return module.OnnxExporter(), module.OnnxConfig
    except (ImportError, AttributeError, TypeError) as error:
        raise NotHereError(f"transformers has no exporter to ONNX: {error}") from error


def _shapes(subject: Subject) -> dict[str, Any]:
    # A name would have to come with its range here, and `Dim.AUTO` may be fixed silently.
    return {name: dict.fromkeys(axes, Dim.DYNAMIC) for name, axes in subject.dynamic.items()}


def _graph(exported: Any) -> onnx_ir.Model:
    # 5.13 gave torch's ONNXProgram, 5.23 gives its own class around an onnx_ir.Model.
    for name in ("program", "model"):
        found = getattr(exported, name, None)
        if isinstance(found, onnx_ir.Model):
            return found
    raise NotHereError(f"transformers' exporter gives a {type(exported).__name__}")
