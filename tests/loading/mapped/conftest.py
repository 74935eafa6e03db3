"""Modules over weights files of their own."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import torch
from torch import nn

from pytest_potmodels.loading.aligned import Mapped, located
from pytest_potmodels.loading.mapped import tensor_file
from pytest_potmodels.loading.mapped.adoption import Placed, adopt, placed
from pytest_potmodels.loading.mapped.blueprint import Blueprint
from pytest_potmodels.loading.mapped.changes import Reference
from pytest_potmodels.loading.mapped.copies import MappedCopies
from pytest_potmodels.loading.mapped.index import TensorAt
from pytest_potmodels.loading.mapped.inventory import Item, by_name, inventory
from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.mapped.written_pages import Scan, best_scan


@dataclass(frozen=True)
class Desk:
    """Writes modules to files, and gives copies of them."""

    folder: Path
    numbers: Iterator[int]

    def items(self, module: nn.Module) -> list[Item]:
        return inventory(module)

    def written(self, module: nn.Module) -> tuple[Path, tuple[TensorAt, ...]]:
        """The module's weights in a file, and where they lie in it."""
        items = inventory(module)
        path = self.folder / f"{next(self.numbers)}.pt"
        tensor_file.write(path, by_name(items))
        return path, located(items, path)

    def placed(self, module: nn.Module) -> tuple[Path, tuple[Placed, ...]]:
        path, tensors = self.written(module)
        return path, placed(inventory(module), tensors)

    def proven(self, module: nn.Module) -> tuple[Path, Blueprint]:
        """A blueprint of the module as it is, proven as those of stored models are."""
        path, where = self.placed(module)
        blueprint = Blueprint(module, where)
        blueprint.prove(Region(path, None))
        return path, blueprint

    def copied(self, module: nn.Module) -> nn.Module:
        path, blueprint = self.proven(module)
        return blueprint.build(Region(path, None))

    def mapped(self, module: nn.Module) -> Mapped:
        """The module as a master over its file."""
        path, _ = self.proven(module)
        _, tensors = self.written(module)
        region = Region(path, None)
        return Mapped(module, adopt(module, tensors, region), path, region, {})

    def copies(self, module: nn.Module, *, scan: Scan | None) -> MappedCopies:
        mapped = self.mapped(module)
        reference = Reference(mapped.master, mapped.placed, mapped.path, mapped.region)
        return MappedCopies(Blueprint(mapped.master, mapped.placed), reference, scan)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, count())


#: With page scanning as this system has it, and where nobody can tell written pages.
SCANS: list[Callable[[], Scan | None]] = [best_scan, lambda: None]


@pytest.fixture(params=SCANS, ids=["best scan", "no scan"])
def scan(request: pytest.FixtureRequest) -> Scan | None:
    found: Scan | None = request.param()
    return found


@pytest.fixture(autouse=True)
def seed() -> None:
    torch.manual_seed(0)
