"""A graph's numbers against the model's, under ONNX Runtime with few optimizations and with all."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from pytest_potmodels.onnx_export.nearness import distances
from pytest_potmodels.onnx_export.refusals import GateError
from pytest_potmodels.onnx_export.subject import Round, Subject

_LEVELS = {
    "BASIC": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "ALL": onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL,
}
#: Half as many digits: a float16 has eleven bits.
_HALF_TOLERANCE = 1e-2
_ONLY_ERRORS = 3


@dataclass(frozen=True)
class Errors:
    """The worst of an output over all shapes; `relative` is to its largest value."""

    absolute: float = 0.0
    relative: float = 0.0

    def worst(self, other: "Errors") -> "Errors":
        """The larger ones."""
        return Errors(max(self.absolute, other.absolute), max(self.relative, other.relative))


def compared(file: Path, subject: Subject) -> dict[str, Errors]:
    """The errors per output, all of them within the tolerance.

    Raises:
        GateError: one is not, or a shape or a type differs, or the runtime refuses.
    """
    errors = dict.fromkeys(subject.output_names, Errors())
    for level, number in _LEVELS.items():
        session = _session(file, number, level)
        for each in subject.rounds:
            where = f"at {_shown(each)} (ONNX Runtime, {level})"
            try:
                found = session.run(subject.output_names, _fed(each))
            except Exception as error:
                raise GateError(f"it cannot be run {where}: {_line(error)}") from error
            for name, got in zip(subject.output_names, found, strict=True):
                expected = each.expected[name].numpy()
                errors[name] = errors[name].worst(_error(name, expected, got, subject, where))
    return errors


def _session(file: Path, level: Any, name: str) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = _ONLY_ERRORS
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise GateError(f"ONNX Runtime ({name}) does not open it: {_line(error)}") from error


def _fed(each: Round) -> dict[str, Any]:
    return {name: tensor.numpy() for name, tensor in each.inputs.items()}


def _error(name: str, expected: Any, got: Any, subject: Subject, where: str) -> Errors:
    """The error of one output at one shape.

    Raises:
        GateError: it is beyond the tolerance.
    """
    if (got.shape, got.dtype) != (expected.shape, expected.dtype):
        raise GateError(
            f"{name} is {got.dtype} {list(got.shape)} {where}, not {expected.dtype} "
            f"{list(expected.shape)}"
        )
    errors = _difference(expected, got)
    half = expected.dtype == np.float16
    tolerance = max(subject.recipe.tolerance, _HALF_TOLERANCE if half else 0)
    if not errors.relative <= tolerance:
        raise GateError(
            f"{name} is off by {errors.absolute:.3g}, {errors.relative:.3g} of its largest "
            f"value, {where}; {tolerance:g} is allowed"
        )
    return errors


def _difference(expected: Any, got: Any) -> Errors:
    """The worst of two arrays of one shape and type; NaN of both is none: the gate knows it."""
    errors, relative = distances(expected, got)
    return Errors(float(errors.max(initial=0.0)), float(relative.max(initial=0.0)))


def _shown(each: Round) -> str:
    return ", ".join(f"{axis} {size}" for axis, size in each.sizes.items()) or "fixed sizes"


def _line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
