"""Is a skeleton with weights the model that the stock loader builds? Proven once, then recorded."""

import types
import weakref
from collections.abc import Iterator, Mapping
from typing import Any

import torch
import torch.fx
from torch import nn
from torch.nn.utils import parametrize

from pytest_potmodels.loading.mapped.inventory import named_tensors

_EQUAL_IS_ALIKE = (int, str, bytes, set, frozenset)


def first_difference(ours: nn.Module, stock: nn.Module) -> str:
    """The first thing in which two modules differ, weights included; "" if they are alike."""
    return _Comparison(ours, stock).first()


class _Comparison:
    """Two modules, and what was found alike in them so far.

    A pair that is under way counts as alike: what differs in it ends the comparison anyway.
    """

    def __init__(self, ours: nn.Module, stock: nn.Module) -> None:
        self._pairs = (ours, stock)
        self._our_names, self._stock_names = _first_names(ours), _first_names(stock)
        self._seen: set[tuple[int, int]] = set()
        self._held: list[Any] = []  # What is made to compare it must keep its address.

    def first(self) -> str:
        mine, theirs = (dict(each.named_modules(remove_duplicate=False)) for each in self._pairs)
        if list(mine) != list(theirs):
            return f"submodules {sorted(set(mine) ^ set(theirs))[:3] or 'in another order'}"
        for name, module in theirs.items():
            if trouble := self._in_module(mine[name], module):
                return f"{name or 'model'}: {trouble}"
        return "" if _ties(self._pairs[0]) == _ties(self._pairs[1]) else "other weights are tied"

    def _in_module(self, ours: nn.Module, stock: nn.Module) -> str:
        if not same_class(ours, stock):
            return f"{type(ours).__name__} is {type(stock).__name__}"
        if odd := set(vars(ours)) ^ set(vars(stock)):
            return f"attributes {sorted(odd)[:3]}"
        for key, value in vars(stock).items():
            if not self._same(*(_without_keys(key, each) for each in (vars(ours)[key], value))):
                return f"attribute {key}"
        return ""

    def _same(self, ours: Any, stock: Any) -> bool:
        """Whether two values are alike, and hold the same parts of their modules."""
        pair = (id(ours), id(stock))
        if pair in self._seen:
            return True
        self._seen.add(pair)
        self._held += [ours, stock]
        if self._our_names.get(pair[0]) != self._stock_names.get(pair[1]):
            return False
        if isinstance(stock, nn.Module):
            # Registered ones are compared under their names.
            return pair[1] in self._stock_names or not self._in_module(ours, stock)
        if ours is stock:
            return True
        return type(ours) is type(stock) and self._same_content(ours, stock)

    def _same_content(self, ours: Any, stock: Any) -> bool:
        if isinstance(stock, torch.Tensor):
            return same_tensor(ours, stock) and self._same(vars(ours), vars(stock))
        if isinstance(stock, float | complex):
            return repr(ours) == repr(stock)  # NaN is itself, and 0.0 is not -0.0.
        if isinstance(stock, _EQUAL_IS_ALIKE):
            return bool(ours == stock)
        mine, theirs = _pieces(ours), _pieces(stock)
        if mine is None or theirs is None:
            return False
        return len(mine) == len(theirs) and all(map(self._same, mine, theirs))


def _pieces(value: Any) -> list[Any] | None:
    """What a value consists of; None where that cannot be told."""
    match value:
        case Mapping():
            return [list(value), *value.values()]
        case list() | tuple():
            return list(value)
        case types.FunctionType():
            return [value.__code__, *_contents(value)]
        case types.MethodType():
            return [value.__func__, value.__self__]
        case weakref.ref():
            return [value()]
    return _recipe(value)


def _recipe(value: Any) -> list[Any] | None:
    """What Python would copy an object by.

    Its own idea of equality is not asked: a configuration may compare equal and hold more.
    """
    try:
        reduced = value.__reduce_ex__(4)
    except Exception:  # noqa: BLE001  Any class may refuse, in its own words.
        return None
    if isinstance(reduced, str):
        return None  # Copied as itself, and this is another one.
    return [list(part) if isinstance(part, Iterator) else part for part in reduced]


def _without_keys(name: str, value: Any) -> Any:
    """Hooks are numbered through the whole process: their order counts, their numbers do not."""
    return list(value.values()) if name.endswith("_hooks") and isinstance(value, dict) else value


def same_class(ours: nn.Module, stock: nn.Module) -> bool:
    """Whether two modules are of one class, or each of one that torch made for it alone."""
    mine, theirs = type(ours), type(stock)
    if mine is theirs:
        return True
    if isinstance(ours, torch.fx.GraphModule) and isinstance(stock, torch.fx.GraphModule):
        return bool(ours.code == stock.code)
    return (
        parametrize.is_parametrized(ours)
        and parametrize.is_parametrized(stock)
        and (mine.__name__, mine.__bases__) == (theirs.__name__, theirs.__bases__)
        and set(vars(mine)) ^ set(vars(theirs)) <= {"__slotnames__"}  # Left by copy.deepcopy.
    )


def _contents(function: types.FunctionType) -> list[Any]:
    return [
        *map(cell_content, function.__closure__ or ()),
        function.__defaults__,
        function.__kwdefaults__,
        vars(function),
    ]


def cell_content(cell: types.CellType) -> Any:
    """What a closure holds; None where it is not assigned yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


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


def _first_names(module: nn.Module) -> dict[int, str]:
    """Each registered submodule and tensor -> the first of its names."""
    names: dict[int, str] = {}
    for name, part in module.named_modules(remove_duplicate=False):
        names.setdefault(id(part), f"module {name}")
    for name, tensor, _ in named_tensors(module):
        names.setdefault(id(tensor), f"tensor {name}")
    return names


def _ties(module: nn.Module) -> list[list[str]]:
    """Which names are one tensor."""
    names: dict[int, list[str]] = {}
    for name, tensor, _ in named_tensors(module):
        names.setdefault(id(tensor), []).append(name)
    return list(names.values())
