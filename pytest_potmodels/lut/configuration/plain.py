"""Values in the types that JSON and YAML know, whoever computed them."""

from collections.abc import Mapping
from typing import Any

from pytest_potmodels.errors import LUTError


def as_plain(value: Any, key: str = "") -> Any:
    """Mappings, lists, texts, numbers, true, false and none; numpy's float64 is a float, too.

    Args:
        value: what to take over.
        key: where it stands, for the error.

    Raises:
        LUTError: a value of another type.
    """
    if value is None or isinstance(value, bool):
        return value
    for kind in (str, int, float):
        if isinstance(value, kind):
            return kind(value)
    if isinstance(value, Mapping):
        before = f"{key}." if key else ""
        return {str(name): as_plain(item, f"{before}{name}") for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_plain(item, key) for item in value]
    raise LUTError(
        f"{key or 'a value'} is {value!r}, which a configuration file cannot hold.",
        remedy="numbers, texts, true, false, none, and lists and mappings of them",
    )
