"""A cache, processes one after another that load from it, and what "the same model" means."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pytest_potmodels import loading
from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading.mapped.index import ALIGNMENT
from pytest_potmodels.loading.mapped.inventory import named_tensors
from pytest_potmodels.loading.mapped.likeness import first_difference
from pytest_potmodels.loading.originals import Originals
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.layout import Layout


@dataclass
class Machine:
    """A cache, and processes one after another that load from it."""

    cache: Path
    #: How often a library's own loader built a model.
    built: list[str]
    second: Path | None = None

    @property
    def derived(self) -> DerivedStore:
        return DerivedStore(Layout.at(self.cache), second=self.second)

    def originals(self, budget: int = 10**10) -> Originals:
        return Originals(self.derived, budget=budget, timeout=30, collector="keep")

    def load(self, stored: StoredModel, **options: Any) -> LoadedModel:
        """As the first test of a new process."""
        return self.originals().load(stored, LoadOptions(**options), device="cpu")

    def made(self) -> DerivedModel:
        (one,) = self.derived.all()
        return one


def stock(stored: StoredModel, **options: Any) -> LoadedModel:
    return loading.load(stored, LoadOptions(**options), device="cpu")


def assert_same(ours: LoadedModel, theirs: LoadedModel, inputs: Mapping[str, Any]) -> None:
    assert ours.not_mapped == ""
    assert first_difference(ours.model, theirs.model) == ""
    assert ours.checksum == theirs.checksum
    assert str(ours.model) == str(theirs.model)
    assert ours.config == theirs.config
    assert ours.categories == theirs.categories
    assert not ours.model.training
    for name, tensor, _ in named_tensors(ours.model):
        assert tensor.data_ptr() % ALIGNMENT == 0, name
        assert tensor._base is None, name
    one, two = (_tensors(_run(each, inputs)) for each in (ours, theirs))
    assert len(one) == len(two) > 0
    assert all(
        torch.equal(a, b) or (a.isnan() & b.isnan()).any() for a, b in zip(one, two, strict=True)
    )


def _equal(one: torch.Tensor, two: torch.Tensor) -> bool:
    return bool(((one == two) | (one.isnan() & two.isnan())).all())


def _run(loaded: LoadedModel, inputs: Mapping[str, Any]) -> Any:
    dtype = next(loaded.model.parameters()).dtype
    fitting = {key: v.to(dtype) if v.is_floating_point() else v for key, v in inputs.items()}
    with torch.no_grad():
        return loaded(*fitting.values()) if "images" in fitting else loaded(**fitting)


def _tensors(output: Any) -> list[torch.Tensor]:
    if isinstance(output, torch.Tensor):
        return [output]
    values = output.values() if isinstance(output, Mapping) else output
    return (
        [each for value in values if value is not None for each in _tensors(value)]
        if (isinstance(output, Mapping | tuple | list))
        else []
    )
