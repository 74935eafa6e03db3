"""What copies of a module may have in common, and what must be made for each."""

import copyreg
import enum
import functools
import re
import types
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

from pytest_potmodels.loading.mapped.inventory import UnmappableError

#: Nobody can change these, or copy.deepcopy shares them as well.
_ATOMIC = (
    int, float, complex, bool, str, bytes, range, slice, type, type(None), type(...),
    types.FunctionType, types.BuiltinFunctionType, types.ModuleType, enum.Enum, re.Pattern,
    torch.dtype, torch.device, torch.layout, torch.memory_format,
)  # fmt: skip
#: Most attributes of most modules, told by one look; their identity means nothing.
SIMPLE = frozenset({int, float, bool, str, type(None)})
_FLAT = (dict, list, set, OrderedDict)
_TORCH_MODULES = "torch.nn.modules."


def is_shareable(value: Any) -> bool:
    """Whether copies may hold the same object."""
    if type(value) in SIMPLE:
        return True
    if isinstance(value, types.FunctionType):
        return not _held_by(value)
    if type(value) in (tuple, frozenset, torch.Size):
        return all(map(is_shareable, value))
    return isinstance(value, _ATOMIC)


def is_flat(value: Any) -> bool:
    """Whether one level of copying is enough."""
    if type(value) not in _FLAT:
        return False
    if not value:
        return True
    inside: Iterable[Any] = value
    if isinstance(value, dict):
        inside = (part for pair in value.items() for part in pair)
    return all(map(is_shareable, inside))


def is_plain(module: nn.Module) -> bool:
    """Whether a module is its class and its `__dict__`, and copied as such by Python."""
    cls = type(module)
    return (
        cls.__new__ is object.__new__
        and cls.__reduce_ex__ is object.__reduce_ex__
        and cls.__reduce__ is object.__reduce__
        and cls.__getstate__ is nn.Module.__getstate__
        and not hasattr(cls, "__deepcopy__")
        and cls not in copyreg.dispatch_table
        and not any("__slots__" in vars(base) for base in cls.__mro__[:-1])
        and _only_upgrades(cls)
    )


def _only_upgrades(cls: type) -> bool:
    """Whether `__setstate__` is torch's own, which only adds what old pickled modules lack."""
    for base in cls.__mro__:
        if "__setstate__" in vars(base):
            return base.__module__.startswith(_TORCH_MODULES)
    return True


def reject_bound(name: str, value: Any) -> None:
    """Refuse a function that holds a module or tensor: its copy would work on the master.

    Raises:
        UnmappableError: there is one, in an attribute, a list or a hook table.
    """
    inside = value.values() if isinstance(value, dict) else value
    many = isinstance(value, (*_FLAT, tuple))
    for each in inside if many else (value,):
        if isinstance(each, types.FunctionType) and (held := _held_by(each)):
            raise UnmappableError(f"{name} holds the function {each.__qualname__}, and that {held}")


def _held_by(function: types.FunctionType) -> str:
    """What a function keeps for itself that belongs to one model; "" for nothing."""
    cells = [_content(cell) for cell in function.__closure__ or ()]
    for value in (
        *cells,
        *(function.__defaults__ or ()),
        *(function.__kwdefaults__ or {}).values(),
    ):
        while isinstance(value, functools.partial):
            value = value.func  # noqa: PLW2901  what is called in the end
        owner = getattr(value, "__self__", value)
        if isinstance(owner, nn.Module | torch.Tensor):
            return f"holds a {type(owner).__name__}"
    return ""


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # Not assigned yet.
        return None
