"""One model of this process, and how each test gets a copy of its own."""

import copy
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from pytest_potmodels.artifacts import LoadOptions, StoredModel, size_of
from pytest_potmodels.errors import StoreError
from pytest_potmodels.loading import announce, loader_of
from pytest_potmodels.loading.aligned import Aligner, Mapped
from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.changes import Reference
from pytest_potmodels.loading.mapped.copies import MappedCopies
from pytest_potmodels.loading.mapped.inventory import UnmappableError
from pytest_potmodels.loading.mapped.written_pages import best_scan
from pytest_potmodels.store.derived import DerivedStore

_log = logging.getLogger(__name__)


class Copies(Protocol):
    """Gives pristine copies of one model."""

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

    def __init__(self, master: Any) -> None:
        self._master = master

    def copy(self) -> Any:
        """A new copy."""
        return copy.deepcopy(self._master)

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
        return self._make()


@dataclass(frozen=True, eq=False)
class Original:
    """A model in this process, ready to be copied."""

    name: str
    copies: Copies
    facts: Mapping[str, Any]
    size_bytes: int
    #: Why it is copied rather than mapped; "" if it is mapped.
    not_mapped: str = ""


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
        original = mapped_original(str(stored.id), aligner.master(timeout=timeout))
    except (UnmappableError, StoreError) as error:
        built = aligner.built or loader.build(stored, options)
        original = copied_original(
            str(stored.id),
            built.model,
            lambda: loader.build(stored, options).model,
            facts=built.facts,
            why=str(error),
        )
        _log.warning(
            "%s is not mapped, each test gets a slow copy: %s", stored.id, original.not_mapped
        )
    announce(original.facts)
    return original


def mapped_original(name: str, mapped: Mapped) -> Original:
    """A model over a file, of which it is proven that it can be copied."""
    blueprint = Blueprint(mapped.master, mapped.placed)
    scan = best_scan()
    reference = Reference(mapped.master, mapped.placed, mapped.path)
    copies = MappedCopies(blueprint, reference, scan)
    return Original(name, copies, mapped.facts, mapped.size_bytes)


def copied_original(
    name: str, master: Any, make: Callable[[], Any], *, facts: Mapping[str, Any], why: str
) -> Original:
    """A model in this process's memory; made anew for each test where it cannot be copied."""
    copies: Copies = DeepCopies(master)
    try:
        copies.copy()
    # Any class may refuse to be copied, in its own words.
    except Exception as error:  # noqa: BLE001
        why = f"{why}; it cannot be copied either ({type(error).__name__}: {error})"
        copies = Loads(make)
    return Original(name, copies, facts, size_of(master), why)
