"""A module takes the tensors of a mapped file in place of its own."""

import ctypes
from pathlib import Path
from typing import Any

import pytest
import torch
from loading.mapped.zoo import MAPPED, Block
from torch import nn

from pytest_potmodels.artifacts import state_checksum
from pytest_potmodels.loading.mapped.adoption import adopt, placed
from pytest_potmodels.loading.mapped.inventory import (
    UnmappableError,
    inventory,
    named_tensors,
)
from pytest_potmodels.loading.mapped.likeness import first_difference
from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.mapped.without_numbers import without_numbers
from pytest_potmodels.loading.mapped.written_pages import address_of

#: Their constructors need numbers, or keep more of the tensors than the module's tables do.
NOT_WITHOUT_NUMBERS = {
    "a plain tensor", "modules in a list", "orthogonal", "spectral norm", "double",
    "buffers of all types", "one storage", "a module of a graph", "a handle", "recurrent",
}  # fmt: skip


def addresses(module: nn.Module) -> dict[str, int]:
    return {
        name: tensor.untyped_storage().data_ptr()
        for name, tensor, _ in named_tensors(module)
        if tensor.numel()
    }


@pytest.mark.parametrize("name", MAPPED)
def test_a_model_gives_its_memory_back_and_stays_what_it_is(name: str, desk: Any) -> None:
    torch.manual_seed(0)
    module, same = MAPPED[name](), None
    torch.manual_seed(0)
    same = MAPPED[name]()
    path, tensors = desk.written(module)
    kept = [(each, id(tensor)) for each, tensor, _ in named_tensors(module)]
    region = Region(path, None)
    adopt(module, tensors, region)
    begin = address_of(region.buffer)
    assert all(begin <= at < begin + len(region.buffer) for at in addresses(module).values())
    assert [(each, id(tensor)) for each, tensor, _ in named_tensors(module)] == kept
    assert state_checksum(module.state_dict()) == state_checksum(same.state_dict())
    for one, two in zip(named_tensors(module), named_tensors(same), strict=True):
        assert one[1].requires_grad == two[1].requires_grad
        assert one[1].stride() == two[1].stride()


@pytest.mark.parametrize("name", sorted(set(MAPPED) - NOT_WITHOUT_NUMBERS))
def test_a_skeleton_becomes_the_model(name: str, desk: Any) -> None:
    torch.manual_seed(0)
    module = MAPPED[name]()
    path, tensors = desk.written(module)
    with without_numbers():
        skeleton = MAPPED[name]()
    assert all(tensor.is_meta for _, tensor, _ in named_tensors(skeleton))
    adopt(skeleton, tensors, Region(path, None))
    assert first_difference(skeleton, module) == ""


def test_what_is_placed_is_the_tensor_that_the_module_has_now(desk: Any) -> None:
    path, tensors = desk.written(Block())
    with without_numbers():
        skeleton = Block()
    found = adopt(skeleton, tensors, Region(path, None))
    assert [each.item.tensor for each in found] == [t for _, t, _ in named_tensors(skeleton)]
    assert [each.place for each in found] == list(tensors)


def test_tensors_lie_where_the_file_has_them(desk: Any) -> None:
    module = Block()
    path, tensors = desk.written(module)
    region = Region(path, None)
    adopt(module, tensors, region)
    for place in tensors:
        at = address_of(region.buffer) + place.begin
        content = Path(path).read_bytes()[place.begin : place.begin + place.length]
        assert addresses(module)[place.names[0]] == at
        assert ctypes.string_at(at, place.length) == content


def _bigger() -> nn.Module:
    block = Block()
    block.first = nn.Linear(4, 5)
    return block


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda: nn.Sequential(Block()), "no 0.first.weight"),
        (MAPPED["tied"], "no first.weight = second.weight"),
        (lambda: Block().double(), "first.weight has another shape or type"),
        (_bigger, "first.weight has another shape or type"),
    ],
    ids=["names", "ties", "type", "shape"],
)
def test_a_file_of_another_module_is_refused(other: Any, said: str, desk: Any) -> None:
    _, tensors = desk.written(Block())
    with pytest.raises(UnmappableError, match=said):
        placed(inventory(other()), tensors)


def test_a_skeleton_takes_the_type_of_the_file(desk: Any) -> None:
    module = Block().bfloat16()
    path, tensors = desk.written(module)
    with without_numbers():
        skeleton = Block()
    adopt(skeleton, tensors, Region(path, None))
    assert first_difference(skeleton, module) == ""
