"""Tensors over a mapping are what a stock loader's are, to all who look."""

import io
from typing import Any

import pytest
import torch
from loading.mapped.zoo import MAPPED
from torch import nn

from pytest_potmodels.loading.mapped.casting import cast_all
from pytest_potmodels.loading.mapped.inventory import inventory
from pytest_potmodels.loading.mapped.likeness import same_tensor
from pytest_potmodels.loading.mapped.region import Region


def cast(desk: Any, module: nn.Module) -> list[torch.Tensor]:
    path, places = desk.placed(module)
    return cast_all([each.cast for each in places], Region(path, None).buffer)


@pytest.mark.parametrize("name", MAPPED)
def test_each_tensor_is_the_masters_again(name: str, desk: Any) -> None:
    module = MAPPED[name]()
    for made, item in zip(cast(desk, module), inventory(module), strict=True):
        assert same_tensor(made, item.tensor)
        assert type(made) is type(item.tensor)
        assert vars(made) == vars(item.tensor)
        assert made.is_leaf
        assert made.grad is None
        assert made.storage_offset() == item.tensor.storage_offset()


def of_one(desk: Any, tensor: torch.Tensor) -> torch.Tensor:
    module = nn.Module()
    module.register_buffer("it", tensor)
    (made,) = cast(desk, module)
    return made


def test_a_plain_tensor_has_no_base_and_a_storage_of_its_size(desk: Any) -> None:
    made = of_one(desk, torch.rand(3, 4, 5))
    assert made._base is None
    assert made.untyped_storage().nbytes() == made.nbytes
    assert not made.requires_grad


def test_saving_one_tensor_saves_one_tensor(desk: Any) -> None:
    module = nn.Sequential(nn.Linear(300, 300), nn.Linear(2, 2))
    *_, weight, bias = cast(desk, module)
    stream = io.BytesIO()
    torch.save({"weight": weight, "bias": bias}, stream)
    assert len(stream.getvalue()) < 3000


def test_arithmetic_in_place_works(desk: Any) -> None:
    made = of_one(desk, torch.ones(4))
    made.add_(1).mul_(3).t_()
    made.unsqueeze_(0).squeeze_()
    made.data = made.data[:2]
    assert made.tolist() == [6, 6]


def test_an_empty_tensor_is_empty(desk: Any) -> None:
    made = of_one(desk, torch.empty(0, 3, dtype=torch.int16))
    assert made.shape == (0, 3)
    assert made.dtype == torch.int16
