"""What copies of a module may have in common, and what must be made for each."""

import copyreg
import enum
import re
import types
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn

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
    if type(value) in _FLAT:  # Most others: hook tables. The check below is ten times as long.
        return False
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
        and _only_upgrades(cls)
    )


def _only_upgrades(cls: type) -> bool:
    """Whether `__setstate__` is torch's own, which only adds what old pickled modules lack."""
    for base in cls.__mro__:
        if "__setstate__" in vars(base):
            return base.__module__.startswith(_TORCH_MODULES)
    return True


def give_own_class(module: nn.Module) -> None:
    """Let a copy of a parametrized module have a class of its own, as its original has.

    torch keeps the property that computes the weight on the class, and copies share that: to
    remove the parametrization from one of them would break all others.
    """
    cls = type(module)
    module.__class__ = type(cls.__name__, cls.__bases__, dict(vars(cls)))
