"""Modules without numbers: nothing is drawn for them, and nobody else notices."""

import threading
from collections.abc import Callable

import pytest
import torch
from loading.mapped.zoo import Block
from torch import nn

from pytest_potmodels.loading.mapped.without_numbers import without_numbers

INITIALISERS = {name: value for name, value in vars(nn.init).items() if name.endswith("_")}


def borrowed() -> object:
    """What a module of torch has taken out of torch.nn.init."""
    return vars(nn.modules.activation)["xavier_uniform_"]


def untouched() -> bool:
    same = all(vars(nn.init)[name] is value for name, value in INITIALISERS.items())
    return (
        same and vars(nn.modules.activation)["xavier_uniform_"] is INITIALISERS["xavier_uniform_"]
    )


def test_no_memory_and_no_random_number_is_used() -> None:
    state = torch.get_rng_state()
    with without_numbers():
        module = nn.Sequential(
            Block(), nn.LSTM(3, 4), nn.MultiheadAttention(4, 2), nn.Conv2d(1, 2, 3)
        )
    assert all(tensor.is_meta for tensor in module.state_dict().values())
    assert torch.equal(torch.get_rng_state(), state)


def test_a_tensor_with_memory_is_initialised_as_ever() -> None:
    with without_numbers():
        weight = nn.init.constant_(torch.zeros(3, device="cpu"), 2)
    assert (weight == 2).all()


def test_initialisers_that_others_took_are_passed_over_too() -> None:
    assert untouched()
    with without_numbers():
        assert borrowed() is not INITIALISERS["xavier_uniform_"]
        assert nn.MultiheadAttention(4, 2).in_proj_weight.is_meta
    assert untouched()


def test_an_error_leaves_all_as_it_was() -> None:
    def fail() -> None:
        raise ValueError("inside")

    with pytest.raises(ValueError, match="inside"), without_numbers():
        fail()
    assert untouched()
    assert not torch.empty(1).is_meta


def test_it_may_be_entered_again_within() -> None:
    with without_numbers():
        with without_numbers():
            assert Block().first.weight.is_meta
        assert Block().first.weight.is_meta
        assert not untouched()
    assert untouched()
    assert not Block().first.weight.is_meta


def in_a_thread(run: Callable[[], object]) -> list[object]:
    found: list[object] = []
    thread = threading.Thread(target=lambda: found.append(run()))
    thread.start()
    thread.join(timeout=30)
    return found


def _seeded() -> torch.Tensor:
    layer = nn.Linear(30, 30)
    return nn.init.orthogonal_(layer.weight, generator=torch.Generator().manual_seed(1)).detach()


def test_modules_that_another_thread_builds_meanwhile_have_their_numbers() -> None:
    expected = _seeded()
    with without_numbers():
        (there,) = in_a_thread(_seeded)
    assert isinstance(there, torch.Tensor)
    assert torch.equal(there, expected)


def test_another_thread_that_wants_the_same_waits_and_gets_it() -> None:
    found: list[bool] = []

    def build() -> None:
        with without_numbers():
            found.append(Block().first.weight.is_meta)

    threads = [threading.Thread(target=build) for _ in range(4)]
    with without_numbers():
        for thread in threads:
            thread.start()
        assert found == []
    for thread in threads:
        thread.join(timeout=30)
    assert found == [True] * 4
    assert untouched()
