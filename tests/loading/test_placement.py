"""Devices, number types and the random state."""

import pytest
import torch
from torch import nn

from pytest_potmodels.artifacts import LoadOptions
from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading.placement import check_device, place, seeded, undisturbed


def test_a_model_is_placed_in_evaluation_mode_and_type() -> None:
    model = place(nn.BatchNorm1d(2).train(), device="cpu", dtype=torch.float16)
    assert not model.training
    assert model.weight.dtype == torch.float16
    assert model.num_batches_tracked is not None
    assert model.num_batches_tracked.dtype == torch.int64


@pytest.mark.parametrize("device", ["cdua", "cuda:99", ""])
def test_a_device_that_is_not_there_is_named_with_the_option(device: str) -> None:
    with pytest.raises(UsageError, match=f"device '{device}' cannot be used") as caught:
        check_device(device)
    assert "--pot-device" in caught.value.remedy


def test_what_is_drawn_follows_from_the_seed_and_the_state_comes_back() -> None:
    before = torch.get_rng_state()
    drawn = []
    for seed in (3, 3, 4):
        with seeded(LoadOptions(seed=seed)):
            drawn.append(torch.rand(2).tolist())
    assert drawn[0] == drawn[1] != drawn[2]
    assert torch.equal(torch.get_rng_state(), before)


def _fails() -> None:
    with seeded(LoadOptions()):
        torch.rand(2)
        raise RuntimeError("inside")


def test_the_state_comes_back_after_an_error_too() -> None:
    before = torch.get_rng_state()
    with pytest.raises(RuntimeError, match="inside"):
        _fails()
    assert torch.equal(torch.get_rng_state(), before)


def test_what_a_test_has_asked_torch_for_is_out_of_force_for_a_while() -> None:
    torch.set_default_dtype(torch.float64)
    try:
        with torch.device("meta"), torch.inference_mode(), undisturbed():
            made = torch.ones(1)
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    assert (made.device.type, made.dtype) == ("cpu", torch.float32)
    assert not made.is_inference()
    with torch.no_grad(), undisturbed():
        assert torch.is_grad_enabled()
