"""What a model is fed, learned from calls that its user made."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from pytest_potmodels.onnx_export import inference
from pytest_potmodels.onnx_export.inference import NotInferredError
from pytest_potmodels.onnx_export.order import Samples
from pytest_potmodels.onnx_export.recipes import Content, Input, Recipe

#: Two calls with other sizes show which axes are free.
_LEAST_CALLS = 2


def recipe_of(model: nn.Module, samples: Samples, own: Sequence[Recipe] = ()) -> Recipe:
    """A recipe that feeds a model as it was fed in these calls.

    Raises:
        NotInferredError: the calls do not show which axes are free, or the model refuses them.
    """
    if len(samples) < _LEAST_CALLS:
        raise NotInferredError("one sample call does not show which axes are free; give two")
    known = {name for call in samples for name in call}
    if uneven := sorted(n for n in known if not all(n in call for call in samples)):
        raise NotInferredError(f"not all sample calls have {', '.join(uneven)}")
    free = _free_axes(model, samples)
    names = _axis_names(samples, free)
    inputs = tuple(
        _input(name, [call[name] for call in samples if name in call], names[name])
        for name in samples[0]
    )
    tolerance = _tolerance(model, own)
    return Recipe("recorded calls", inputs, classes=("*",), tolerance=tolerance,
                  sizes=dict(_sizes(samples, names)))  # fmt: skip


def _free_axes(model: nn.Module, samples: Samples) -> Mapping[str, Mapping[int, Any]]:
    """Per input the axes that torch's observer takes for free."""
    try:
        from torch.onnx import InputObserver  # noqa: PLC0415 - torch has it from 2.11 on
    except ImportError as error:
        raise NotInferredError("sample calls need torch 2.11 or newer") from error
    observer = InputObserver()
    with observer(model, store_n_calls=len(samples)), torch.no_grad():
        for call in samples:
            _called(model, call)
    found = observer.infer_dynamic_shapes(set_batch_dimension_for=True)
    if not isinstance(found, Mapping):
        raise NotInferredError("the sample calls do not name their inputs")
    return {name: dict(found.get(name) or {}) for name in samples[0]}


def _called(model: nn.Module, call: Mapping[str, Any]) -> None:
    try:
        model(**{name: torch.from_numpy(np.array(array)) for name, array in call.items()})
    # A model may refuse a call in any way.
    except Exception as error:
        said = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise NotInferredError(f"the model refuses a sample call: {said}") from error


def _axis_names(samples: Samples, free: Mapping[str, Mapping[int, Any]]) -> dict[str, list[Any]]:
    """One name for axes that are of one size in every call; the first axis is the batch."""
    known: dict[tuple[bool, tuple[int, ...]], str] = {}
    names: dict[str, list[Any]] = {}
    for name in samples[0]:
        shapes = [call[name].shape for call in samples if name in call]
        names[name] = list(shapes[0])
        for place in sorted(free[name]):
            seen = (place == 0, tuple(shape[place] for shape in shapes))
            first = "batch" if place == 0 and "batch" not in known.values() else f"{name}_{place}"
            names[name][place] = known.setdefault(seen, first)
    return names


def _input(name: str, arrays: Sequence[Any], axes: Sequence[Any]) -> Input:
    low = min((float(array.min()) for array in arrays if array.size), default=math.inf)
    high = max((float(array.max()) for array in arrays if array.size), default=-math.inf)
    if not (math.isfinite(low) and math.isfinite(high)):
        raise NotInferredError(f"the sample calls have no finite {name}")
    is_mask = "mask" in name and low >= 0 and high <= 1 and arrays[0].dtype.kind in "iu"
    content: Content = "numbers" if arrays[0].dtype.kind == "f" else "integers"
    made = Input(name, tuple(axes), content, low=low, high=high, dtype=str(arrays[0].dtype))
    return replace(made, content="mask", dtype="") if is_mask else made


def _sizes(
    samples: Samples, names: Mapping[str, Sequence[Any]]
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The largest size that was seen is in the example; then what was seen, and one beyond."""
    done = set()
    for name, axes in names.items():
        for place, axis in enumerate(axes):
            if isinstance(axis, str) and axis not in done:
                done.add(axis)
                seen = sorted({call[name].shape[place] for call in samples if name in call})
                largest = max(2, *seen)
                yield axis, (largest, 1, *seen, largest + 1, largest + 2)


def _tolerance(model: nn.Module, own: Sequence[Recipe]) -> float:
    try:
        return inference.recipe_of(model, tuple(own)).tolerance
    except NotInferredError:
        return 1e-4
