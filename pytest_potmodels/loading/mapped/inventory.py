"""The tensors of a module: each once, under all its names."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

_TABLES = ("_parameters", "_buffers")
#: A module, the table of its tensors, and the tensor's name there.
Holder = tuple[nn.Module, str, str]


@dataclass(frozen=True, eq=False)
class Item:
    """A parameter or buffer, every name under which the module has it, and where it hangs."""

    names: tuple[str, ...]
    tensor: torch.Tensor
    holders: tuple[Holder, ...]


class UnmappableError(Exception):
    """Why a model cannot be mapped, in words for the report; it is copied instead."""


def inventory(module: nn.Module) -> list[Item]:
    """All parameters and buffers, also those that a state dict leaves out, in module order.

    Raises:
        UnmappableError: a tensor whose bytes are no plain memory of this process.
    """
    found: dict[int, tuple[torch.Tensor, list[str], list[Holder]]] = {}
    for name, tensor, holder in named_tensors(module):
        _, names, holders = found.setdefault(id(tensor), (tensor, [], []))
        names.append(name)
        if holder not in holders:  # A module under two names has its tensors once.
            holders.append(holder)
    for tensor, names, _ in found.values():
        if trouble := _not_plain(tensor):
            raise UnmappableError(f"{names[0]} is {trouble}")
    return [Item(tuple(names), t, tuple(holders)) for t, names, holders in found.values()]


def by_name(items: list[Item]) -> Mapping[str, torch.Tensor]:
    """First name -> tensor."""
    return {item.names[0]: item.tensor for item in items}


def named_tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor, Holder]]:
    """Every parameter and buffer under every name, and where it hangs."""
    for path, part in module.named_modules(remove_duplicate=False):
        prefix = f"{path}." if path else ""
        for table in _TABLES:
            tensors: dict[str, Any] = vars(part)[table]
            for name, tensor in tensors.items():
                if tensor is not None:
                    yield prefix + name, tensor, (part, table, name)


def hang(holder: Holder, tensor: torch.Tensor) -> None:
    """Put a tensor in another one's place."""
    module, table, name = holder
    if type(module).__setattr__ is nn.Module.__setattr__:
        vars(module)[table][name] = tensor
    else:
        setattr(module, name, tensor)  # An LSTM keeps a list of its weights beside the table.


def _not_plain(tensor: torch.Tensor) -> str:
    """What keeps a tensor from being a piece of a file; "" if nothing does."""
    kind = type(tensor)
    if kind not in (torch.Tensor, nn.Parameter, nn.Buffer):
        return f"a {kind.__module__}.{kind.__qualname__}"
    if tensor.layout != torch.strided or tensor.is_quantized:
        return "sparse or quantised"
    if tensor.device.type not in ("cpu", "meta"):
        return f"on {tensor.device}"
    if tensor.is_conj() or tensor.is_neg() or not tensor.is_leaf:
        return "computed from another tensor"
    return "" if tensor.grad is None else "with a gradient"
