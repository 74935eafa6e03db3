"""How to build a module again, in microseconds, over other memory.

A module is compiled once into shells: per submodule its class, what can be shared (numbers,
strings, functions), what is new each time (hook tables, child tables), and what only
copy.deepcopy can copy (a configuration). Building makes new tensors over a region, new shells,
and links them, so that nothing a test does to one build reaches another.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from pytest_potmodels.loading.mapped import reach, sharing
from pytest_potmodels.loading.mapped.adoption import Placed
from pytest_potmodels.loading.mapped.casting import cast_all
from pytest_potmodels.loading.mapped.inventory import UnmappableError
from pytest_potmodels.loading.mapped.region import Region

_TABLES = ("_parameters", "_buffers")
_CHILDREN = "_modules"
_LINKED = (*_TABLES, _CHILDREN)
_Memo = dict[int, Any]
_Table = tuple[tuple[str, int | None], ...]


@dataclass(frozen=True, eq=False)
class Shell:
    """One submodule without what it holds."""

    cls: type
    #: Its attributes in their order; those below are placeholders here.
    shared: dict[str, Any]
    #: Containers of shared things, copied one level deep (mostly hook tables, empty), each with
    #: what makes its copy.
    flat: tuple[tuple[str, Any, Callable[[], Any]], ...]
    #: Attributes that are copied in depth.
    deep: tuple[tuple[str, Any], ...]
    #: Name of the table -> name of the tensor or submodule -> its number among the parts.
    tables: tuple[tuple[str, _Table], ...]
    #: Submodules, where one of them is copied in depth.
    children: tuple[tuple[str, Any], ...]


class Blueprint:
    """Builds copies of a master; the master must not change afterwards."""

    def __init__(self, master: nn.Module, placed: Sequence[Placed]) -> None:
        """Compile.

        Raises:
            UnmappableError: the module holds what cannot be copied without reaching the master.
        """
        self._master = master
        _reject_notes(placed)
        self._casts = [each.cast for each in placed]
        self._tensors = [id(each.item.tensor) for each in placed]
        modules = list(master.modules())
        _reject_compiled(modules)
        self._parametrized = [id(each) for each in modules if parametrize.is_parametrized(each)]
        often = _objects_held_twice(modules)
        own = {id(each): each for each in (*modules, *(each.item.tensor for each in placed))}
        # It follows from the class, and a model has few.
        of_class = {type(module): module for module in modules}
        plain = {cls for cls, module in of_class.items() if sharing.is_plain(module)}
        built = [module for module in modules if type(module) in plain]
        self._parts = [*self._tensors, *map(id, built)]
        numbers = {key: number for number, key in enumerate(self._parts)}
        shells = [_shell(module, often, numbers) for module in built]
        inner = _objects_held_within(shells, own)
        self._shells = [_deepened(shell, inner) for shell in shells]
        self._root = numbers.get(id(master))
        in_depth = any(shell.deep or shell.children for shell in self._shells)
        self._needs_memo = in_depth or self._root is None or bool(self._parametrized)

    def build(self, region: Region) -> nn.Module:
        """A new module over a region of the weights file."""
        parts: list[Any] = cast_all(self._casts, region.buffer)
        modules: list[Any] = [object.__new__(shell.cls) for shell in self._shells]
        parts += modules
        memo = dict(zip(self._parts, parts, strict=True)) if self._needs_memo else {}
        for shell, module in zip(self._shells, modules, strict=True):
            object.__setattr__(module, "__dict__", _attributes(shell, parts, memo))
        root: nn.Module = _copied(self._master, memo) if self._root is None else parts[self._root]
        for key in self._parametrized:
            sharing.give_own_class(memo[key])
        return root

    def prove(self, region: Region) -> None:
        """Build once, and look for anything that the copy lacks, or shares with the master.

        Raises:
            UnmappableError: there is something.
        """
        if lost := reach.first_lost(self._master) or self._taken_apart():
            raise UnmappableError(lost)
        with _refusals():
            copied = self.build(region)
        if shared := reach.first_shared(copied, self._master):
            raise UnmappableError(shared)

    def _taken_apart(self) -> str:
        """Where a tensor beside parameters and buffers has its numbers in one of theirs."""
        ours = set(self._tensors)
        for group in reach.overlapping(self._master):
            inside = [name for name, tensor in group if id(tensor) in ours]
            outside = [name for name, tensor in group if id(tensor) not in ours]
            if inside and outside:
                return f"{outside[0]} has its numbers in the memory of {inside[0]}"
        return ""


def _shell(module: nn.Module, often: frozenset[int], numbers: Mapping[int, int]) -> Shell:
    shared = dict(vars(module))
    children = tuple(shared[_CHILDREN].items())
    in_depth = any(each is not None and id(each) not in numbers for _, each in children)
    flat: list[tuple[str, Any]] = []
    deep: list[tuple[str, Any]] = []
    for name, value in vars(module).items():
        if type(value) in sharing.SIMPLE or (name in _LINKED and value):
            continue
        if sharing.is_shareable(value):
            continue
        is_flat = sharing.is_flat(value) and id(value) not in often
        (flat if is_flat else deep).append((name, value))
    return Shell(
        cls=type(module),
        shared=shared,
        flat=tuple((name, value, _maker(value)) for name, value in flat),
        deep=tuple(deep),
        tables=tuple(
            (name, _table(shared[name], numbers))
            for name in (_TABLES if in_depth else _LINKED)
            if shared[name]
        ),
        children=children if in_depth else (),
    )


def _table(held: Mapping[str, Any], numbers: Mapping[int, int]) -> _Table:
    return tuple((key, None if each is None else numbers[id(each)]) for key, each in held.items())


def _maker(container: Any) -> Callable[[], Any]:
    """What makes a copy; of an empty one without a look at it, for there are thousands."""
    make: Callable[[], Any] = container.copy if container else type(container)
    return make


def _attributes(shell: Shell, parts: list[Any], memo: _Memo) -> dict[str, Any]:
    attributes = shell.shared.copy()
    for name, _, make in shell.flat:
        attributes[name] = make()
    for name, value in shell.deep:
        attributes[name] = _copied(value, memo)
    for name, table in shell.tables:
        attributes[name] = {key: None if at is None else parts[at] for key, at in table}
    if shell.children:
        attributes[_CHILDREN] = {
            key: None if child is None else _copied(child, memo) for key, child in shell.children
        }
    return attributes


def _copied(value: Any, memo: _Memo) -> Any:
    known = memo.get(id(value))
    return copy.deepcopy(value, memo) if known is None else known


def _reject_notes(placed: Sequence[Placed]) -> None:
    """What others wrote onto a tensor is shared by all copies."""
    for each in placed:
        for note, value in each.cast.notes.items():
            if not sharing.is_shareable(value):
                raise UnmappableError(f"{each.item.names[0]}.{note} would be shared by all copies")


def _reject_compiled(modules: list[nn.Module]) -> None:
    for module in modules:
        if isinstance(module, torch.jit.ScriptModule):
            raise UnmappableError(f"{type(module).__name__} is compiled (TorchScript)")


def _objects_held_twice(modules: list[nn.Module]) -> frozenset[int]:
    """What two attributes hold must be one object in a copy, too."""
    counts = Counter(
        id(value)
        for module in modules
        for value in vars(module).values()
        if type(value) not in sharing.SIMPLE
    )
    return frozenset(key for key, count in counts.items() if count > 1)


def _objects_held_within(shells: list[Shell], own: _Memo) -> set[int]:
    """What copies in depth come across: a handle knows the table of hooks that it is out of."""
    memo = own.copy()
    with _refusals():
        for shell in shells:
            for _, value in shell.deep:
                _copied(value, memo)
    return set(memo)


@contextmanager
def _refusals() -> Iterator[None]:
    """Any class may refuse to be copied, in its own words."""
    try:
        yield
    except Exception as error:
        raise UnmappableError(f"it cannot be copied: {type(error).__name__}: {error}") from error


def _deepened(shell: Shell, inner: set[int]) -> Shell:
    """The shell, with all copied in depth that is also held within something else."""
    within = tuple((name, value) for name, value, _ in shell.flat if id(value) in inner)
    flat = tuple(each for each in shell.flat if id(each[1]) not in inner)
    return replace(shell, flat=flat, deep=shell.deep + within) if within else shell
