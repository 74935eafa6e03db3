"""How far numbers are from others, counted by what is large among them."""

from typing import Any

import numpy as np

#: A value stands for "nothing here" where it is at least this, and so many times what is next.
_MARK, _BEYOND = 1e4, 100.0


def marks(values: Any) -> Any:
    """Where values stand for "nothing here", as -1e9 or -inf do where a mask says so."""
    sizes = np.abs(values.astype(np.float64))
    finite = sizes[np.isfinite(sizes) & (sizes > 0)]
    least = np.inf
    if finite.max(initial=0.0) >= _MARK:
        steps = np.unique(finite)
        far = (steps[1:] >= _MARK) & (steps[1:] >= _BEYOND * steps[:-1])
        least = float(steps[1:][far].min(initial=np.inf))
    return sizes >= least


def scales(values: Any) -> Any:
    """What an error of each value is counted by: the largest finite value, as float64.

    Marks are counted by themselves: beside them, anything would be near.
    """
    sizes = np.where(np.isfinite(values), np.abs(values.astype(np.float64)), 0.0)
    largest, marked = float(sizes.max(initial=0.0)), marks(values)
    others = float(sizes[~marked].max(initial=0.0))
    return np.where(marked, largest, others or largest)


def distances(expected: Any, found: Any) -> tuple[Any, Any]:
    """Of each value the error, and the error relative to `scales`; both are arrays of float64.

    Equal values, infinite ones and NaN at the same place are no error; an infinity or NaN at
    another place is an infinite one. Integers and truth values are equal, or infinitely far.
    """
    both_nan = (expected != expected) & (found != found)  # noqa: PLR0124 - NaN alone is
    same = (expected == found) | both_nan
    with np.errstate(invalid="ignore", over="ignore"):
        errors = np.abs(expected.astype(np.float64) - found.astype(np.float64))
    errors = np.where(same, 0.0, np.nan_to_num(errors, nan=np.inf, posinf=np.inf))
    if not np.issubdtype(expected.dtype, np.floating):
        return errors, np.where(same, 0.0, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        relative = np.where(errors > 0, errors / scales(expected), 0.0)
    return errors, relative
