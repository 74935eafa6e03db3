"""Calls of the user's, on their way into the child: arrays in a file that runs nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pytest_potmodels.errors import UsageError
from pytest_potmodels.onnx_export.order import Samples

_REMEDY = "give each call as {name: tensor}, and numbers as float32 or integers"


def arrays(calls: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Calls with numpy arrays in place of tensors.

    Raises:
        UsageError: a value is no tensor or array of numbers.
    """
    return tuple(map(_call, calls))


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(call, Mapping) or not call:
        raise UsageError(f"a sample call is {call!r:.80}.", remedy=_REMEDY)
    return {str(name): _array(name, value) for name, value in call.items()}


def _array(name: str, value: Any) -> Any:
    try:
        plain = value.detach().cpu().numpy() if hasattr(value, "detach") else value
        array = np.asarray(plain, order="C")  # `ascontiguousarray` gives a scalar an axis.
    except (TypeError, ValueError, RuntimeError) as error:  # bfloat16, sparse, rows of two lengths
        raise UsageError(f"the sample call's {name}: {error}.", remedy=_REMEDY) from error
    if array.dtype.kind not in "biuf":
        raise UsageError(
            f"the sample call's {name} is of type {array.dtype}, no tensor of numbers.",
            remedy=_REMEDY,
        )
    return array


def write(samples: Samples, folder: Path) -> Path:
    """Write calls to a file that nothing has to be unpickled from."""
    path = folder / "samples.npz"
    arrays = {
        f"{n}.{name}": array for n, call in enumerate(samples) for name, array in call.items()
    }
    np.savez(path, **arrays)
    return path


def read(path: str) -> tuple[dict[str, Any], ...]:
    """The calls of such a file."""
    calls: dict[int, dict[str, Any]] = {}
    with np.load(path, allow_pickle=False) as arrays:
        for key in arrays.files:
            number, _, name = key.partition(".")
            calls.setdefault(int(number), {})[name] = arrays[key]
    return tuple(calls[number] for number in sorted(calls))
