"""Copies of one model over its mapped weights: lent to tests, put back, lent again."""

import gc
import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import nn

from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.changes import Reference, changes
from pytest_potmodels.loading.mapped.region import Region, in_memory
from pytest_potmodels.loading.mapped.written_pages import Scan

if TYPE_CHECKING:
    import mmap

#: Mappings kept for the next tests; a test that holds more copies at once is rare.
_SPARE = 4
#: Models that outlive their test before the collector is asked whether they are garbage.
_LEFT_ALONE = 4


@dataclass(frozen=True, eq=False)
class Loan:
    """A copy that was handed out in the running test."""

    region: Region
    module: "weakref.ref[nn.Module]"


@dataclass(eq=False)
class Kept:
    """A copy that outlived its test; it is alive as long as a tensor over its mapping is."""

    buffer: "weakref.ref[mmap.mmap]"
    module: "weakref.ref[nn.Module]"
    #: What has been told of it already.
    told: str = ""


class MappedCopies:
    """Every copy is pristine; weights that a test leaves untouched exist once in memory."""

    def __init__(self, blueprint: Blueprint, reference: Reference, scan: Scan | None) -> None:
        #: Whether somebody will ask for changes: then copies that are let go are looked at first.
        self.watch = False
        self._blueprint = blueprint
        self._reference = reference
        self._scan = scan
        self._spare: list[Region] = []
        self._lent: list[Loan] = []
        self._kept: list[Kept] = []
        self._let_go: list[str] = []
        self._next_look = _LEFT_ALONE

    def copy(self) -> nn.Module:
        """A new copy."""
        region = self._free_region()
        module = self._blueprint.build(region)
        self._lent.append(Loan(region, weakref.ref(module)))
        return module

    def changes(self) -> list[str]:
        """What the running test has changed, in words: one line for each copy.

        Also in copies that an earlier test or a wider fixture got; of these all that differs from
        the original is said again, since nobody put it back.
        """
        said = [changes(each.module(), each.region, self._reference) for each in self._lent]
        said += [*self._let_go, *filter(None, map(self._news_of, self._kept))]
        return list(dict.fromkeys(filter(None, said)))

    def settle(self) -> None:
        """Put back what a test has written; a model that outlives its test keeps its mapping."""
        for loan in self._lent:
            if not loan.region.idle:
                self._kept.append(self._keep(loan))
            elif len(self._spare) < _SPARE and loan.region.put_back():
                self._spare.append(loan.region)
        self._lent.clear()
        self._let_go.clear()
        self._bound_garbage()

    def _free_region(self) -> Region:
        if self._spare:
            return self._spare.pop()
        self._bound_garbage()
        # A loop in one test (`@given`) lets go of each copy before it asks for the next.
        for loan in self._lent:
            if loan.region.idle:
                return self._taken_back(loan)
        return self._fresh_region()

    def _taken_back(self, loan: Loan) -> Region:
        """The loan's region as it was; a new one where nobody can tell what was written to it."""
        if self.watch:
            self._let_go.append(changes(None, loan.region, self._reference))
        self._lent.remove(loan)
        return loan.region if loan.region.put_back() else self._fresh_region()

    def _fresh_region(self) -> Region:
        try:
            return Region(self._reference.path, self._scan)
        except OSError:  # Somebody has removed the file, or a test has used up all descriptors.
            return in_memory(self._reference.region)

    def _keep(self, loan: Loan) -> Kept:
        kept = Kept(weakref.ref(loan.region.buffer), loan.module)
        if self.watch:
            self._news_of(kept)  # The test that got it has been told already.
        return kept

    def _news_of(self, kept: Kept) -> str:
        buffer = kept.buffer()
        if buffer is None:
            return ""
        said = changes(kept.module(), Region(buffer, self._scan), self._reference)
        if said == kept.told:
            return ""
        kept.told = said
        return said

    def _bound_garbage(self) -> None:
        """Cycles keep models, and the pages they wrote, until the collector comes: ask it to."""
        self._kept = [each for each in self._kept if each.buffer() is not None]
        if len(self._kept) + len(self._lent) < self._next_look:
            return
        gc.collect()
        self._kept = [each for each in self._kept if each.buffer() is not None]
        in_use = len(self._kept) + sum(not loan.region.idle for loan in self._lent)
        self._next_look = max(_LEFT_ALONE, 2 * in_use)
