"""Copies of one model over its mapped weights: lent to tests, put back, lent again."""

import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.changes import Reference, changes
from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.mapped.written_pages import Scan

if TYPE_CHECKING:
    import mmap

#: Mappings kept for the next tests; a test that holds more copies at once is rare.
_SPARE = 4
#: Models that outlive their test before the collector is asked whether they are garbage.
_LEFT_ALONE = 4


@dataclass(frozen=True, eq=False)
class Loan:
    """A copy that was handed out, for as long as somebody holds it."""

    region: Region
    module: "weakref.ref[nn.Module]"


class MappedCopies:
    """Every copy is pristine; weights that a test leaves untouched exist once in memory."""

    def __init__(self, blueprint: Blueprint, reference: Reference, scan: Scan | None) -> None:
        self._blueprint = blueprint
        self._reference = reference
        self._scan = scan
        self._spare: list[Region] = []
        self._lent: list[Loan] = []
        self._kept: list[weakref.ref[mmap.mmap]] = []
        self._next_look = _LEFT_ALONE

    def copy(self) -> nn.Module:
        """A new copy."""
        region = self._free_region()
        module = self._blueprint.build(region)
        self._lent.append(Loan(region, weakref.ref(module)))
        return module

    def changes(self) -> Iterator[str]:
        """What was changed in the copies that are lent, in words: one line for each copy."""
        for loan in self._lent:
            said = changes(loan.module(), loan.region, self._reference)
            if said:
                yield said

    def settle(self) -> None:
        """Put back what a test has written; a model that outlives its test keeps its mapping."""
        for loan in self._lent:
            if not loan.region.idle:
                self._kept.append(weakref.ref(loan.region.buffer))
            elif len(self._spare) < _SPARE and loan.region.put_back():
                self._spare.append(loan.region)
        self._lent.clear()
        self._bound_garbage()

    def _free_region(self) -> Region:
        if self._spare:
            return self._spare.pop()
        # A loop in one test (`@given`) lets go of each copy before it asks for the next.
        for loan in self._lent:
            if loan.region.can_be_put_back and loan.region.idle and loan.region.put_back():
                self._lent.remove(loan)
                return loan.region
        return Region(self._reference.path, self._scan)

    def _bound_garbage(self) -> None:
        """Cycles keep models, and the pages they wrote, until the collector comes: ask it to."""
        self._kept = [each for each in self._kept if each() is not None]
        if len(self._kept) < self._next_look:
            return
        gc.collect()
        self._kept = [each for each in self._kept if each() is not None]
        self._next_look = max(_LEFT_ALONE, 2 * len(self._kept))
