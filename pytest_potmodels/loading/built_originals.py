"""What a user's own callable makes of a model's folder: built once, then copied like any model."""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Hashable
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

from torch import nn

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading.aligned import Mapped, located
from pytest_potmodels.loading.mapped import tensor_file
from pytest_potmodels.loading.mapped.adoption import adopt, placed
from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.inventory import UnmappableError, by_name, inventory
from pytest_potmodels.loading.mapped.likeness import cell_content
from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.original import Original, copied_original, mapped_original
from pytest_potmodels.loading.placement import seeded, undisturbed

Make = Callable[[Path], Any]


def identity(make: Any, within: tuple[Any, ...] = ()) -> Hashable:
    """What tells one callable from another: a lambda in a test is a new object at each run.

    Two functions are one if they say the same and see the same things. `within` are the
    functions that hold this one; a recursive one holds itself.
    """
    if any(make is outer for outer in within):
        return "itself"
    held = functools.partial(_held, within=(*within, make))
    if isinstance(make, functools.partial):
        keywords = tuple((name, held(make.keywords[name])) for name in sorted(make.keywords))
        return ("partial", held(make.func), tuple(map(held, make.args)), keywords)
    if isinstance(make, MethodType):  # A new object each time that it is looked up.
        return ("method", _Same(make.__self__), held(make.__func__))
    if not isinstance(make, FunctionType):
        return _plain(make)
    cells = tuple(held(cell_content(cell)) for cell in make.__closure__ or ())
    defaults = tuple(map(held, make.__defaults__ or ()))
    keyword_only = tuple((k, held(v)) for k, v in (make.__kwdefaults__ or {}).items())
    known = make.__globals__
    # A name of a module may be bound anew between two tests, and two modules have one of a name.
    seen = tuple(_plain(known[name]) for name in make.__code__.co_names if name in known)
    return (_Same(known), _text(make.__code__), cells, defaults, keyword_only, seen)


def _text(code: CodeType) -> Hashable:
    """What code does, wherever it is written: many tests have the same lambda in their body."""
    consts = tuple(_text(c) if isinstance(c, CodeType) else repr(c) for c in code.co_consts)
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags)
    return (code.co_code, code.co_exceptiontable, consts, names, counts)


class _Same:
    """Equal to itself only; keeps its object, so that no other gets the same address."""

    def __init__(self, held: Any) -> None:
        self._held = held

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other._held is self._held

    def __hash__(self) -> int:
        return id(self._held)


def _held(value: Any, *, within: tuple[Any, ...]) -> Hashable:
    if type(value) is tuple:
        return tuple(_held(each, within=within) for each in value)
    is_made_anew = isinstance(value, functools.partial | MethodType | FunctionType)
    return identity(value, within) if is_made_anew else _plain(value)


def _plain(value: Any) -> Hashable:
    # By type, too: to a model, 1 and True need not be the same.
    is_plain = isinstance(value, str | bytes | int | float | Path | type(None))
    return (type(value), repr(value)) if is_plain else _Same(value)


def on_device(model: Any, device: str) -> Any:
    """A torch module on its device; anything else is the callable's own affair."""
    return model.to(device) if isinstance(model, nn.Module) and device != "cpu" else model


def open_built(stored: StoredModel, make: Make, scratch: Path) -> Original:
    """Call `make` once; copies of a torch module share their weights with other processes."""
    model = _made(make, stored.path)
    loaded = LoadedModel(
        id=stored.id,
        model=model,
        source="cached",
        kind=stored.kind,
        path=stored.path,
        digest=stored.digest,
        revision=stored.revision,
    )
    try:
        return mapped_original(loaded, _over_scratch(model, scratch))
    except (UnmappableError, OSError) as error:
        return copied_original(loaded, functools.partial(_made, make, stored.path), str(error))


def _made(make: Make, folder: Path) -> Any:
    """What a callable makes; weights that it draws are the same in each process."""
    with undisturbed(), seeded(LoadOptions()):
        return make(folder)


def _over_scratch(model: Any, scratch: Path) -> Mapped:
    """The model over a file of the session: processes that build the same weights share it."""
    if not isinstance(model, nn.Module):
        raise UnmappableError(f"a {type(model).__name__} is no torch module")
    items = inventory(model)
    # torch writes the file's own name into the file: one name gives one content.
    fresh = Path(tempfile.mkdtemp(dir=scratch)) / "weights.pt"
    try:
        tensor_file.write(fresh, by_name(items))
        path = _shared(fresh, scratch)
        tensors = located(items, path)
    except (ValueError, RuntimeError) as error:
        raise UnmappableError(str(error)) from error
    region = Region(path, None)
    Blueprint(model, placed(items, tensors)).prove(region)
    return Mapped(model, adopt(model, tensors, region), path, region, {})


def _shared(fresh: Path, scratch: Path) -> Path:
    """The one file of this content: the first to arrive, since memory is shared by file."""
    with fresh.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    target = scratch / f"built-{digest}.pt"
    try:
        os.link(fresh, target)
    except FileExistsError:
        pass
    except OSError:
        return fresh  # No hard links here: each process has its own.
    fresh.unlink()
    return target
