"""What a network is called with, as float32 samples."""

import math
from typing import Any

import numpy as np

from pytest_potmodels.errors import LUTError

Samples = np.ndarray[Any, np.dtype[np.float32]]


def samples_of(x: Any, features: int) -> Samples:
    """The samples (N, F) that were given, as float32; N may be 0.

    Arrays, CPU tensors and nested lists of numbers or booleans are taken; further axes are as
    welcome as in the torch network, (N, 8, 8) for (N, 64). Infinities are numbers.

    Raises:
        LUTError: no numbers; not (N, F); NaN, which lies above no threshold and would pass for 0.
    """
    array = _read(x)
    if array.ndim < len("NF") or math.prod(array.shape[1:]) != features:
        one = array.shape == (features,)
        remedy = "one sample is a batch of one: x[None]" if one else ""
        found = f"expected samples (N, {features}), found shape {array.shape}."
        raise LUTError(found, remedy=remedy)
    array = array.reshape(len(array), features)
    with np.errstate(over="ignore"):  # What is too large for float32 is infinite there.
        samples: Samples = array.astype(np.float32, copy=False)
    if (strange := np.isnan(samples)).any():
        rows = np.flatnonzero(strange.any(axis=1))
        raise LUTError(
            f"x has {strange.sum()} NaN, the first in sample {rows[0]}.",
            remedy="replace them before; a NaN is above no threshold, and would pass for a 0",
        )
    return samples


def _read(x: Any) -> np.ndarray[Any, Any]:
    try:
        array = np.asarray(x)
    except (ValueError, TypeError, RuntimeError) as error:
        # Ragged lists; tensors that want a gradient, lie on a GPU, or are of bfloat16.
        raise LUTError(
            f"samples are a {type(x).__name__} that numpy cannot read: {error}",
            remedy="give an array (N, F); of a tensor, x.detach().cpu().float()",
        ) from error
    if array.dtype.kind not in "fiub":
        raise LUTError(f"samples are of {array.dtype}, expected numbers.")
    return array
