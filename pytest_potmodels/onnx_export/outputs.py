"""What a model returns, as tensors by name."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

import torch


class NoTensorsError(Exception):
    """A model returns something that is no graph's output."""


def named(
    returned: Any, names: Sequence[str] = (), inputs: Collection[str] = ()
) -> dict[str, torch.Tensor]:
    """The tensors that a model returns, in its order, under `names` or its own keys.

    A graph has one name for one thing: what is called as one of the `inputs` gets `_out`.

    Raises:
        NoTensorsError: something in it is no tensor, or the names do not fit.
    """
    found = list(_flat(returned, ""))
    for key, value in found:
        if not isinstance(value, torch.Tensor):
            raise NoTensorsError(f"its {key or 'output'} is a {type(value).__name__}")
    if not found:
        raise NoTensorsError(f"it returns no tensors but a {type(returned).__name__}")
    own = [f"{key}_out" if key in inputs else key or "output" for key, _ in found]
    if names and len(names) != len(found):
        raise NoTensorsError(
            f"it returns {len(found)} tensors ({', '.join(own)}), not {len(names)}"
        )
    if len(set(names or own)) < len(found):
        raise NoTensorsError(f"two of its outputs have one name: {', '.join(names or own)}")
    return dict(zip(names or own, (value for _, value in found), strict=True))


def tensors(returned: Any) -> dict[str, torch.Tensor]:
    """The tensors among what a model returns; a cache of keys and values is none."""
    found = _flat(returned, "")
    return {key or "output": each for key, each in found if isinstance(each, torch.Tensor)}


def _flat(returned: Any, key: str) -> Iterator[tuple[str, Any]]:
    """What is no container, under names that tell where it was."""
    head = f"{key}_" if key else ""
    match returned:
        case None:
            return
        case Mapping():
            parts = [(f"{head}{name}", value) for name, value in returned.items()]
        case tuple() | list():
            names = getattr(returned, "_fields", range(len(returned)))
            head = head or ("" if hasattr(returned, "_fields") else "output_")
            parts = [(f"{head}{name}", value) for name, value in zip(names, returned, strict=True)]
        case _ if is_dataclass(returned):
            parts = [
                (f"{head}{each.name}", getattr(returned, each.name)) for each in fields(returned)
            ]
        case _:
            yield key, returned
            return
    for name, value in parts:
        yield from _flat(value, name)
