"""What a model returns, as tensors by name."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch


class NoTensorsError(Exception):
    """A model returns something that is no graph's output."""


def named(returned: Any, names: Sequence[str] = ()) -> dict[str, torch.Tensor]:
    """The tensors that a model returns, in its order, under `names` or its own keys.

    Raises:
        NoTensorsError: something in it is no tensor, or the names do not fit.
    """
    found = list(_flat(returned, ""))
    if not found:
        raise NoTensorsError(f"it returns no tensors but a {type(returned).__name__}")
    if names and len(names) != len(found):
        own = ", ".join(key for key, _ in found)
        raise NoTensorsError(f"it returns {len(found)} tensors ({own}), not {len(names)}")
    return dict(
        zip(names or [key or "output" for key, _ in found], dict(found).values(), strict=True)
    )


def _flat(returned: Any, key: str) -> Iterator[tuple[str, torch.Tensor]]:
    match returned:
        case None:
            return
        case torch.Tensor():
            yield key, returned
        case _:
            for name, value in _parts(returned, key):
                yield from _flat(value, name)


def _parts(returned: Any, key: str) -> Iterator[tuple[str, Any]]:
    """What a container holds, under names that tell where."""
    head = f"{key}_" if key else ""
    match returned:
        case Mapping():
            yield from ((f"{head}{name}", value) for name, value in returned.items())
        case tuple() | list():
            names = getattr(returned, "_fields", range(len(returned)))
            head = head or ("" if hasattr(returned, "_fields") else "output_")
            yield from (
                (f"{head}{name}", value) for name, value in zip(names, returned, strict=True)
            )
        case _ if is_dataclass(returned):
            names = [each.name for each in fields(returned)]
            yield from ((f"{head}{name}", getattr(returned, name)) for name in names)
        case _:
            raise NoTensorsError(f"its {key or 'output'} is a {type(returned).__name__}")
