"""The tensors of a module, each once, under all of its names."""

from collections.abc import Callable

import pytest
import torch
from loading.mapped.zoo import MAPPED, REFUSED
from torch import nn

from pytest_potmodels.loading.mapped.inventory import (
    UnmappableError,
    by_name,
    hang,
    inventory,
    named_tensors,
)


@pytest.mark.parametrize("name", MAPPED)
def test_each_parameter_and_buffer_is_there_once_under_all_its_names(name: str) -> None:
    module = MAPPED[name]()
    items = inventory(module)
    expected = [
        *module.named_parameters(remove_duplicate=False),
        *module.named_buffers(remove_duplicate=False),
    ]
    found = [(each, id(item.tensor)) for item in items for each in item.names]
    assert sorted(found) == sorted((each, id(tensor)) for each, tensor in expected)
    assert len({id(item.tensor) for item in items}) == len(items)
    assert list(by_name(items)) == [item.names[0] for item in items]


@pytest.mark.parametrize("name", MAPPED)
def test_a_holder_is_where_the_tensor_hangs(name: str) -> None:
    module = MAPPED[name]()
    for item in inventory(module):
        for owner, table, key in item.holders:
            assert vars(owner)[table][key] is item.tensor
        assert len(set(item.holders)) == len(item.holders)


def test_buffers_that_no_state_dict_has_are_there() -> None:
    module = MAPPED["a buffer that is not saved"]()
    assert "ids" in by_name(inventory(module))
    assert "ids" not in module.state_dict()


def test_tied_weights_are_one_item() -> None:
    (tied,) = [item for item in inventory(MAPPED["tied"]()) if len(item.names) > 1]
    assert tied.names == ("first.weight", "second.weight")
    assert len(tied.holders) == 2


def test_a_module_under_two_names_has_two_names_and_one_holder() -> None:
    items = inventory(MAPPED["one module under two names"]())
    assert [item.names for item in items] == [
        ("first.weight", "second.weight"),
        ("first.bias", "second.bias"),
    ]
    assert [len(item.holders) for item in items] == [1, 1]


def test_none_is_no_tensor() -> None:
    module = nn.Linear(2, 2, bias=False)
    module.register_buffer("nothing", None)
    assert list(by_name(inventory(module))) == ["weight"]


@pytest.mark.parametrize(
    "name",
    ["a computed buffer", "a gradient", "a lazy layer", "a sparse buffer"],
)
def test_what_is_no_piece_of_a_file_is_refused_by_name(name: str) -> None:
    make, reason = REFUSED[name]
    with pytest.raises(UnmappableError, match=reason.split()[0]):
        inventory(make())


class Special(torch.Tensor):
    pass


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.zeros(2).as_subclass(Special),
        lambda: torch.quantize_per_tensor(torch.rand(2), 0.1, 0, torch.quint8),
        lambda: torch.rand(2, dtype=torch.complex64).conj(),
        lambda: torch.rand(2, 2).to_sparse_csr(),
        lambda: torch.rand(3, dtype=torch.complex64).conj().imag,
    ],
    ids=["subclass", "quantised", "conjugate", "csr", "negative"],
)
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")
def test_tensors_of_other_sorts_are_refused(make: Callable[[], torch.Tensor]) -> None:
    module = nn.Module()
    module.register_buffer("odd", make())
    with pytest.raises(UnmappableError, match=r"^odd is "):
        inventory(module)


def test_a_new_tensor_can_be_hung_in_the_place_of_another() -> None:
    lstm = nn.LSTM(2, 3)
    module = nn.Sequential(nn.Linear(2, 2), lstm)
    for item in inventory(module):
        fresh = nn.Parameter(torch.ones_like(item.tensor))
        for holder in item.holders:
            hang(holder, fresh)
    assert all((tensor == 1).all() for _, tensor, _ in named_tensors(module))
    assert all(map(lambda a, b: a is b, lstm._flat_weights, lstm.parameters()))
