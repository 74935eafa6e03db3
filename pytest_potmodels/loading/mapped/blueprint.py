"""How to build a module again, in microseconds, over other memory.

A module is compiled once into shells: per submodule its class, what can be shared (numbers,
strings, functions), what is new each time (hook tables, child tables), and what only
copy.deepcopy can copy (a configuration). Building makes new tensors over a region, new shells,
and links them, so that nothing a test does to one build reaches another.
"""

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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


@dataclass(frozen=True, eq=False)
class Shell:
    """One submodule without what it holds."""

    key: int
    cls: type
    #: Its attributes in their order; those below are placeholders here.
    shared: dict[str, Any]
    #: Containers of shared things, copied one level deep (mostly hook tables, empty), each with
    #: what makes its copy.
    flat: tuple[tuple[str, Any, Callable[[], Any]], ...]
    #: Attributes that are copied in depth.
    deep: tuple[tuple[str, Any], ...]
    #: Name of the table -> name of the tensor -> the master's tensor.
    tables: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...]
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
        self._keys = [id(each.item.tensor) for each in placed]
        modules = list(master.modules())
        _reject_compiled(modules)
        self._parametrized = [id(each) for each in modules if parametrize.is_parametrized(each)]
        often = _objects_held_twice(modules)
        own = {id(each): each for each in (*modules, *(each.item.tensor for each in placed))}
        shells = [_shell(module, often) for module in modules if sharing.is_plain(module)]
        inner = _objects_held_within(shells, own)
        self._shells = [_deepened(shell, inner) for shell in shells]

    def build(self, region: Region) -> nn.Module:
        """A new module over a region of the weights file."""
        memo: _Memo = dict(zip(self._keys, cast_all(self._casts, region.buffer), strict=True))
        made: list[tuple[Shell, nn.Module]] = [
            (shell, object.__new__(shell.cls)) for shell in self._shells
        ]
        for shell, module in made:
            memo[shell.key] = module
        for shell, module in made:
            object.__setattr__(module, "__dict__", _attributes(shell, memo))
        root: nn.Module = _copied(self._master, memo)
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
        ours = set(self._keys)
        for group in reach.overlapping(self._master):
            inside = [name for name, tensor in group if id(tensor) in ours]
            outside = [name for name, tensor in group if id(tensor) not in ours]
            if inside and outside:
                return f"{outside[0]} has its numbers in the memory of {inside[0]}"
        return ""


def _shell(module: nn.Module, often: frozenset[int]) -> Shell:
    shared = dict(vars(module))
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
        key=id(module),
        cls=type(module),
        shared=shared,
        flat=tuple((name, value, _maker(value)) for name, value in flat),
        deep=tuple(deep),
        tables=tuple(
            (name, tuple(vars(module)[name].items())) for name in _TABLES if vars(module)[name]
        ),
        children=tuple(vars(module)[_CHILDREN].items()),
    )


def _maker(container: Any) -> Callable[[], Any]:
    """What makes a copy; of an empty one without a look at it, for there are thousands."""
    make: Callable[[], Any] = container.copy if container else type(container)
    return make


def _attributes(shell: Shell, memo: _Memo) -> dict[str, Any]:
    attributes = shell.shared.copy()
    for name, _, make in shell.flat:
        attributes[name] = make()
    for name, value in shell.deep:
        attributes[name] = _copied(value, memo)
    for name, table in shell.tables:
        attributes[name] = {key: None if t is None else memo[id(t)] for key, t in table}
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
