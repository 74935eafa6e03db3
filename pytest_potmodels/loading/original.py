"""One model of this process, and how each test gets a copy of its own."""

import copy
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from torch import nn
from torch.nn.utils import parametrize

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel, size_of, template
from pytest_potmodels.errors import StoreError
from pytest_potmodels.loading import announce, loader_of
from pytest_potmodels.loading.aligned import Aligner, Mapped
from pytest_potmodels.loading.mapped import reach, sharing
from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.changes import Reference
from pytest_potmodels.loading.mapped.copies import MappedCopies
from pytest_potmodels.loading.mapped.inventory import UnmappableError
from pytest_potmodels.loading.mapped.written_pages import best_scan
from pytest_potmodels.loading.placement import undisturbed
from pytest_potmodels.store.derived import DerivedStore

_log = logging.getLogger(__name__)


class Copies(Protocol):
    """Gives pristine copies of one model."""

    #: Whether somebody will ask for changes.
    watch: bool

    def copy(self) -> Any:
        """A new copy."""
        ...

    def changes(self) -> Iterable[str]:
        """What was changed in the copies that are lent, in words."""
        ...

    def settle(self) -> None:
        """A test is over: whatever it did to its copies must not reach another."""
        ...


class DeepCopies:
    """For what cannot be mapped: copy.deepcopy of a master that nobody gets."""

    watch = False

    def __init__(self, master: Any) -> None:
        self._master = master

    def copy(self) -> Any:
        """A new copy."""
        copied = copy.deepcopy(self._master)
        for module in copied.modules() if isinstance(copied, nn.Module) else ():
            if parametrize.is_parametrized(module):
                sharing.give_own_class(module)
        return copied

    def changes(self) -> Iterable[str]:
        """Nothing: a copy in memory of its own keeps no record."""
        return ()

    def settle(self) -> None:
        """Nothing: copies share nothing."""


class Loads(DeepCopies):
    """For what cannot be copied either: made anew each time."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def copy(self) -> Any:
        """A new one."""
        with undisturbed():
            return self._make()


@dataclass(frozen=True, eq=False)
class Original:
    """A model in this process, ready to be copied."""

    copies: Copies
    #: What is handed out, without the model.
    blank: LoadedModel
    size_bytes: int


@undisturbed()
def open_original(
    stored: StoredModel, options: LoadOptions, derived: DerivedStore, *, timeout: float
) -> Original:
    """Map a stored model's weights; what cannot be mapped is copied, and a warning says why.

    Raises:
        UnavailableError: the files do not make a model.
    """
    loader = loader_of(stored.format)
    aligner = Aligner(stored, options, loader, derived)
    try:
        mapped = aligner.master(timeout=timeout)
    except (UnmappableError, StoreError) as error:
        built, why = aligner.built or loader.build(stored, options), str(error)
        loaded = loader.dress(stored, options, built.model, built.facts)
        announce(built.facts)
        return copied_original(loaded, lambda: loader.build(stored, options).model, why)
    announce(mapped.facts)
    return mapped_original(loader.dress(stored, options, mapped.master, mapped.facts), mapped)


def mapped_original(loaded: LoadedModel, mapped: Mapped) -> Original:
    """A model over a file, of which it is proven that it can be copied."""
    reference = Reference(mapped.master, mapped.placed, mapped.path, mapped.region)
    copies = MappedCopies(Blueprint(mapped.master, mapped.placed), reference, best_scan())
    size = mapped.size_bytes
    return Original(copies, template(loaded, size_bytes=size), size)


def copied_original(loaded: LoadedModel, make: Callable[[], Any], why: str) -> Original:
    """A model in this process's memory; made anew for each test where it cannot be copied."""
    copies: Copies = DeepCopies(loaded.model)
    if trouble := _no_copy(loaded.model):
        why = f"{why}; it cannot be copied either ({trouble})"
        copies = Loads(make)
    _log.warning("%s is not mapped, each test gets a slow copy: %s", loaded.id, why)
    size = size_of(loaded.model)
    return Original(copies, template(loaded, not_mapped=why, size_bytes=size), size)


def _no_copy(master: Any) -> str:
    """Why copy.deepcopy gives no pristine copies; "" if it does."""
    try:
        copied = copy.deepcopy(master)
    # Any class may refuse to be copied, in its own words.
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    if copied is master:
        return f"a copy of a {type(master).__name__} is the same object"
    return reach.first_lost(master) or reach.first_shared(copied, master) or _taken_apart(master)


def _taken_apart(master: Any) -> str:
    """Where a parameter has its numbers in another tensor's memory: each copy gets its own."""
    for group in reach.overlapping(master):
        if any(isinstance(tensor, nn.Parameter) for _, tensor in group):
            return f"{group[0][0]} has its numbers in the memory of {group[1][0]}"
    return ""
