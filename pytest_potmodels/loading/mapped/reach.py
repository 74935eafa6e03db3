"""What can be reached from a model: its copies must not reach the model that they are copies of.

copy.deepcopy shares what it takes for a value: functions with all that their closures hold, weak
references, whatever has a `__deepcopy__` of its own. A module or tensor behind one of them would
belong to all copies, and what one test does to it would reach the next.
"""

import gc
import logging
import types
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import nn

#: What belongs to one model, and can be changed.
_OWN = (nn.Module, torch.Tensor, torch.Generator)
#: Belongs to no model, or leads nowhere: not followed.
_PUBLIC = (
    type, types.ModuleType, types.CodeType, types.BuiltinFunctionType, logging.Logger,
    str, bytes, int, float, complex, type(None), torch.dtype, torch.device,
)  # fmt: skip
_HOOKS_OF_TENSORS = ("_backward_hooks", "_post_accumulate_grad_hooks")
Part = tuple[str, Any]


def parts(root: Any) -> Iterator[Part]:
    """Every module, tensor and generator behind an object, and the attribute that leads there."""
    known = {id(root): root}  # Held, so that no other object gets the same address.
    queue: deque[Part] = deque([("", root)])
    while queue:
        name, each = queue.popleft()
        if isinstance(each, _OWN):
            yield name, each
        for inner, held in _inside(name, each):
            if id(held) not in known and not isinstance(held, _PUBLIC):
                known[id(held)] = held
                queue.append((inner, held))


def first_shared(copied: Any, master: Any) -> str:
    """Where a copy holds a part of its master; "" if they have nothing in common."""
    belongings = {id(part) for _, part in parts(master)}
    for name, part in parts(copied):
        if id(part) in belongings:
            return f"{name or 'it'} leads to a {type(part).__name__} that all copies would share"
    return ""


def first_lost(root: Any) -> str:
    """What no copy of an object would have; "" if copies have it all."""
    for name, part in parts(root):
        if isinstance(part, nn.Module) and any(vars(cls).get("__slots__") for cls in _bases(part)):
            return f"{name or 'it'} has slots, and torch copies modules without them"
        if isinstance(part, torch.Tensor) and _has_hooks(part):
            return f"{name} has hooks, and torch copies tensors without them"
    return ""


def overlapping(root: Any) -> list[list[tuple[str, torch.Tensor]]]:
    """Groups of tensors that have their numbers in one memory."""
    groups: dict[int, list[tuple[str, torch.Tensor]]] = {}
    for name, part in parts(root):
        if isinstance(part, torch.Tensor) and (address := _address(part)):
            groups.setdefault(address, []).append((name, part))
    return [group for group in groups.values() if len(group) > 1]


def _address(tensor: torch.Tensor) -> int:
    """Where its memory begins; 0 if it has none, or of a kind of its own."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):  # Sparse; without numbers.
        return 0


def _has_hooks(tensor: torch.Tensor) -> bool:
    return any(getattr(tensor, name, None) for name in _HOOKS_OF_TENSORS)


def _bases(module: nn.Module) -> tuple[type, ...]:
    return type(module).__mro__[:-1]


def _inside(name: str, each: Any) -> Iterator[Part]:
    if isinstance(each, nn.Module):
        for table in ("_modules", "_parameters", "_buffers"):
            held_there = vars(each).get(table)
            if isinstance(held_there, dict):  # TorchScript has tables of its own.
                yield from ((_joined(name, key), held) for key, held in held_there.items())
        yield from ((_joined(name, key), held) for key, held in vars(each).items())
    else:
        yield from ((name, held) for held in _held_by(each))


def _held_by(each: Any) -> Iterable[Any]:
    if isinstance(each, types.FunctionType):
        # Its globals belong to its module.
        return (each.__closure__, each.__defaults__, each.__kwdefaults__, vars(each))
    if isinstance(each, weakref.ref):
        return (each(), *gc.get_referents(each))
    if isinstance(each, torch.Tensor):
        return (vars(each),)
    return gc.get_referents(each)


def _joined(name: str, key: str) -> str:
    return f"{name}.{key}" if name else key
