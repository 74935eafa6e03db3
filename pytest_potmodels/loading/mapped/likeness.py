"""Is a skeleton with weights the model that the stock loader builds? Proven once, then recorded."""

import types
from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

_TENSORS = ("_parameters", "_buffers")


def first_difference(ours: nn.Module, stock: nn.Module) -> str:
    """The first thing in which two modules differ, weights included; "" if they are alike."""
    mine, theirs = dict(_modules(ours)), dict(_modules(stock))
    if list(mine) != list(theirs):
        return f"submodules {sorted(set(mine) ^ set(theirs))[:3]}"
    for name, module in theirs.items():
        if trouble := _in_module(mine[name], module):
            return f"{name or 'model'}: {trouble}"
    return "" if _ties(ours) == _ties(stock) else "weights are tied in other ways"


def _modules(module: nn.Module) -> list[tuple[str, nn.Module]]:
    return list(module.named_modules(remove_duplicate=False))


def _in_module(ours: nn.Module, stock: nn.Module) -> str:
    if type(ours) is not type(stock):
        return f"{type(ours).__name__} is {type(stock).__name__}"
    if list(vars(ours)) != list(vars(stock)):
        return f"attributes {sorted(set(vars(ours)) ^ set(vars(stock)))[:3]}"
    seen: set[tuple[int, int]] = set()
    for key, value in vars(stock).items():
        if key != "_modules" and not same(vars(ours)[key], value, seen):
            return f"attribute {key}"
    return ""


def same(ours: Any, stock: Any, seen: set[tuple[int, int]]) -> bool:
    """Whether two attribute values are alike; modules in them are compared where they belong."""
    if ours is stock or (id(ours), id(stock)) in seen:
        return True
    seen.add((id(ours), id(stock)))
    if type(ours) is not type(stock):
        return False
    if isinstance(stock, nn.Module):
        return True
    if isinstance(stock, torch.Tensor):
        return same_tensor(ours, stock) and same(vars(ours), vars(stock), seen)
    return _same_content(ours, stock, seen)


def _same_content(ours: Any, stock: Any, seen: set[tuple[int, int]]) -> bool:
    match stock:
        case Mapping():
            keys = list(stock)
            return list(ours) == keys and all(same(ours[key], stock[key], seen) for key in keys)
        case list() | tuple():
            pairs = zip(ours, stock, strict=False)
            return len(ours) == len(stock) and all(same(*pair, seen) for pair in pairs)
        case types.MethodType():
            return bool(ours.__func__ is stock.__func__)
        case types.FunctionType():
            return ours.__code__ is stock.__code__ and same(_contents(ours), _contents(stock), seen)
    return _same_object(ours, stock, seen)


def _same_object(ours: Any, stock: Any, seen: set[tuple[int, int]]) -> bool:
    """A configuration may compare equal and hold more: its attributes count where it has some."""
    inside = same(getattr(ours, "__dict__", {}), getattr(stock, "__dict__", {}), seen)
    own_idea = getattr(type(stock), "__eq__", None) is not getattr(object, "__eq__", None)
    return inside and (bool(ours == stock) if own_idea else hasattr(stock, "__dict__"))


def _contents(function: types.FunctionType) -> list[Any]:
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [*cells, function.__defaults__, function.__kwdefaults__]


def same_tensor(ours: torch.Tensor, stock: torch.Tensor) -> bool:
    """Whether two tensors are alike in all that a model can tell, bit for bit."""
    return (
        ours.dtype == stock.dtype
        and ours.shape == stock.shape
        and ours.stride() == stock.stride()
        and ours.device == stock.device
        and ours.requires_grad == stock.requires_grad
        and _same_bytes(ours, stock)
    )


def _same_bytes(ours: torch.Tensor, stock: torch.Tensor) -> bool:
    """Bit for bit: NaN is itself, and 0.0 is not -0.0."""
    return torch.equal(_bytes(ours), _bytes(stock))


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.detach().contiguous().reshape(-1).view(torch.uint8)


def _ties(module: nn.Module) -> list[list[str]]:
    """Which names are one tensor."""
    names: dict[int, list[str]] = {}
    for name, tensor in (
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ):
        names.setdefault(id(tensor), []).append(name)
    return list(names.values())
