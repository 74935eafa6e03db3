"""Calls of the user's, on their way into the child: arrays in a file that runs nothing."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pytest_potmodels.errors import UsageError
from pytest_potmodels.onnx_export.order import Samples


def arrays(calls: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Calls with numpy arrays in place of tensors.

    Raises:
        UsageError: a value is no tensor or array of numbers.
    """
    return tuple({name: _array(name, value) for name, value in call.items()} for call in calls)


def _array(name: str, value: Any) -> Any:
    value = value.detach().cpu() if hasattr(value, "detach") else value
    array = np.ascontiguousarray(value)
    if array.dtype.kind not in "biuf":
        raise UsageError(
            f"the sample call's {name} is of type {array.dtype}, no tensor of numbers.",
            remedy="give each call as {name: tensor}",
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
