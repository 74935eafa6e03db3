"""Values as JSON has them: what a function returns and what a configuration holds.

Not a number and the infinities, for which JSON has no word, are kept as "nan", "inf" and "-inf".
"""

import math
import sys
from collections.abc import Mapping
from typing import Any

from pytest_potmodels.errors import UsageError

#: Beyond this a tensor is no metric: it belongs into a file of its own.
LARGEST = 10_000
_DEEPEST = 32
#: Readers of JSON elsewhere stop at what a double can hold, also for differences.
_LONGEST_BITS = 1000


def as_plain(value: Any, *keys: str) -> Any:
    """The same value in JSON's types; tensors and arrays of torch and numpy as numbers and lists.

    Raises:
        UsageError: JSON has nothing like it; the message names the key.
    """
    value = _without_framework(value, keys)
    match value:
        case None | bool():
            return value
        case str():
            return str.__str__(value)
        case int() if int(value).bit_length() <= _LONGEST_BITS:
            return int(value)
        case float():
            return float(value) if math.isfinite(value) else repr(float(value))
        case Mapping() | list() | tuple() if len(keys) < _DEEPEST:
            return _of_several(value, keys)
    raise UsageError(
        f"{_named(keys)} is {value!r:.80} ({type(value).__name__}), which JSON does not have.",
        remedy="give numbers, strings, lists or dicts of them; write all else to context.artifacts",
    )


def _of_several(value: Any, keys: tuple[str, ...]) -> Any:
    _check_size(len(value), keys)
    if not isinstance(value, Mapping):
        return [as_plain(each, *keys, str(number)) for number, each in enumerate(value)]
    for key in value:
        if not isinstance(key, str):
            raise UsageError(
                f"{_named(keys)} has the key {key!r} ({type(key).__name__}); JSON's are strings.",
                remedy=f"write {str(key)!r}",
            )
    return {str.__str__(key): as_plain(each, *keys, key) for key, each in value.items()}


def _without_framework(value: Any, keys: tuple[str, ...]) -> Any:
    """What is in a tensor or an array; no framework is imported to find out."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch is not None and isinstance(value, torch.Tensor):
        _check_size(value.numel(), keys)
        try:
            return value.detach().cpu().tolist()
        except (RuntimeError, TypeError) as error:  # Sparse, quantized, nested, without numbers.
            raise UsageError(
                f"{_named(keys)} is a tensor that is no list of numbers: {error}.",
                remedy="give .to_dense(), .dequantize(), or a figure of it",
            ) from error
    if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
        _check_size(value.size, keys)
        return value.tolist()
    return value


def _check_size(count: int, keys: tuple[str, ...]) -> None:
    if count > LARGEST:
        raise UsageError(
            f"{_named(keys)} has {count} numbers, more than {LARGEST}.",
            remedy="return a figure of it, and write the whole to context.artifacts",
        )


def _named(keys: tuple[str, ...]) -> str:
    return ".".join(keys) or "the value"
