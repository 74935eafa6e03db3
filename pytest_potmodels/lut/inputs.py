"""What a LUT network is fed: samples of the right width, numbers only, checked before use."""

import math

import torch

from pytest_potmodels.errors import LUTError

#: Samples have at least an axis of their own and one of features.
_LEAST_AXES = 2


def refuse_tracing() -> None:
    """Accept a call that computes; a trace of one would hold the answers to its own samples.

    Raises:
        LUTError: `torch.jit.trace`, `torch.export` or `torch.onnx.export` is recording.
    """
    exporting = getattr(torch.compiler, "is_exporting", None)  # Since torch 2.7.
    tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    if tracing or (exporting is not None and exporting()):
        raise LUTError(
            "a LUT network cannot be traced or exported by torch: it looks at the values of x.",
            remedy="potmodels export NAME writes ONNX; harden(model) runs on numpy alone",
        )


def samples(given: object, features: int) -> torch.Tensor:
    """Samples as float32 (N, F); integers and further axes are welcome, (N, 8, 8) as (N, 64).

    Raises:
        LUTError: no tensor of real numbers, another number of features, or NaN.
    """
    rows = _rows(given, "x")
    if rows.shape[1] != features:
        raise LUTError(f"x must be (N, {features}), got {_shape(given)}")
    if rows.isnan().any():
        # NaN is greater than no threshold: it would be encoded as zeros, silently.
        raise LUTError(f"x has {int(rows.isnan().sum())} NaN", remedy="clean x before the model")
    return rows


def fitting(given: object, features: int | None) -> torch.Tensor:
    """Data to fit an encoder to, float32 (N, F), finite.

    Raises:
        LUTError: as `samples`; also for no samples at all, and for infinite values.
    """
    rows = _rows(given, "the data to fit the encoder to")
    if features is not None and rows.shape[1] != features:
        raise LUTError(
            f"the data to fit the encoder to must be (N, {features}), got {_shape(given)}",
            remedy=f"input_size says {features} features; build a new ModelConfig for others",
        )
    if not rows.numel():
        raise LUTError(f"the data to fit the encoder to is empty: {_shape(given)}")
    if strange := int((~rows.isfinite()).sum()):
        raise LUTError(
            f"the data to fit the encoder to has {strange} values that are NaN or infinite",
            remedy="leave those samples out",
        )
    return rows


def _rows(given: object, what: str) -> torch.Tensor:
    if not isinstance(given, torch.Tensor):
        kind = type(given).__name__
        raise LUTError(f"{what} is a {kind}, expected a tensor", remedy="torch.as_tensor(...)")
    if given.is_nested or given.layout != torch.strided:
        raise LUTError(f"{what} is a sparse or nested tensor", remedy="x.to_dense()")
    if given.is_complex():
        raise LUTError(f"{what} is of {given.dtype}, expected real numbers")
    if given.dim() < _LEAST_AXES:
        raise LUTError(
            f"{what} must be (N, F), got {_shape(given)}", remedy="a single sample is x[None]"
        )
    return given.reshape(len(given), math.prod(given.shape[1:])).float()


def _shape(given: object) -> tuple[int, ...]:
    return tuple(given.shape) if isinstance(given, torch.Tensor) else ()
