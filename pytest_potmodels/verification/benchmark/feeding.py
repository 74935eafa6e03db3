"""Inputs for a measurement: of the shapes that an ONNX file states, the same for everybody."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from pytest_potmodels.errors import ModelVerificationError
from pytest_potmodels.loading.budget import memory
from pytest_potmodels.onnx_export import OnnxInput, OnnxModel

#: A part of the name of a free axis -> its size; the first that fits decides.
_SIZES = (
    ("batch", 1),
    ("past", 0),
    ("seq", 32),
    ("length", 32),
    ("channel", 3),
    ("height", 224),
    ("width", 224),
)
_TYPES = {"float32", "float64", "float16", "int64", "int32", "int8", "uint8", "bool"}
#: One input may take this part of the memory: a model takes many times of what it is fed.
_PART = 16
#: Tokens that every vocabulary has.
_FIRST, _LAST = 1, 6


def arrays(model: OnnxModel, *, batch: int) -> dict[str, Any]:
    """An array per input.

    Raises:
        ModelVerificationError: an input of a type that is not fed here.
    """
    example = model.shapes[0] if model.shapes else {}
    return {each.name: _array(each, example, batch, seed) for seed, each in enumerate(model.inputs)}


def shapes(fed: Mapping[str, Any]) -> dict[str, str]:
    """Input -> shape, for the row."""
    return {name: "x".join(map(str, array.shape)) for name, array in fed.items()}


def _array(each: OnnxInput, example: Mapping[str, int], batch: int, seed: int) -> Any:
    if each.dtype not in _TYPES:
        raise ModelVerificationError(f"its input {each.name} is of type {each.dtype}, not fed here")
    shape = [_size(axis, example, batch) for axis in each.axes]
    # Numbers are drawn in eight bytes each.
    if 8 * math.prod(shape) > memory() // _PART:
        raise ModelVerificationError(
            f"its input {each.name} of the shape {shape} takes too much of the memory",
            remedy="a smaller --batch-size",
        )
    numbers = np.random.default_rng(seed)
    if each.dtype.startswith("float"):
        return numbers.standard_normal(shape).astype(each.dtype)
    if "type_ids" in each.name or "position" in each.name:
        return np.zeros(shape, each.dtype)
    if "mask" in each.name or each.dtype == "bool":
        return np.ones(shape, each.dtype)
    return numbers.integers(_FIRST, _LAST, shape).astype(each.dtype)


def _size(axis: str | int, example: Mapping[str, int], batch: int) -> int:
    if isinstance(axis, int):
        return axis
    if "batch" in axis.lower():
        return batch
    usual = next((size for part, size in _SIZES if part in axis.lower()), None)
    return usual if usual is not None else example.get(axis, 16)
