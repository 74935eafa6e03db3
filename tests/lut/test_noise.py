"""Noise: as frequent as asked, from the given generator, and nothing given is changed."""

import pytest
import torch

from pytest_potmodels.lut.noise import drawn, dropped, flipped


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def bits(dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randint(0, 2, (100, 300), generator=seeded(1)).to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.uint8])
def test_bits_flip_as_often_as_asked_each_on_its_own(dtype: torch.dtype) -> None:
    given = bits(dtype)
    found = flipped(given, 0.1, seeded())
    assert found.dtype == dtype
    changed = found != given
    assert changed.float().mean().item() == pytest.approx(0.1, abs=0.01)
    # Independent: the number in a row varies as a binomial does.
    assert changed.float().sum(1).var().item() == pytest.approx(300 * 0.1 * 0.9, rel=0.5)
    assert torch.equal(given, bits(dtype))


def test_no_flips_and_all_flips() -> None:
    assert flipped(bits(), 0, seeded()) is not None
    assert torch.equal(flipped(bits(), 0, seeded()), bits())
    assert torch.equal(flipped(bits(), 1, seeded()), 1 - bits())


def test_gradients_go_straight_through_a_flip() -> None:
    values = bits().requires_grad_()
    flipped(values, 0.5, seeded()).sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert (values.grad == 1).all()


def test_dropped_inputs_are_one_half_and_no_other_is_scaled() -> None:
    found = dropped(bits(), 0.25, seeded())
    gone = found == 0.5
    assert gone.float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert torch.equal(found[~gone], bits()[~gone])


def test_draws_are_ones_as_often_as_they_are_likely() -> None:
    chances = torch.linspace(0, 1, 11)[:, None].expand(11, 20_000)
    found = drawn(chances, seeded())
    assert found.dtype == torch.uint8
    torch.testing.assert_close(found.float().mean(1), chances[:, 0], rtol=0, atol=0.015)
    assert not found[0].any()
    assert found[-1].all()


def test_a_seed_gives_the_same_noise_and_leaves_the_global_state_alone() -> None:
    before = torch.get_rng_state()
    assert torch.equal(flipped(bits(), 0.3, seeded()), flipped(bits(), 0.3, seeded()))
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(4)
    first = flipped(bits(), 0.3, None)
    torch.manual_seed(4)
    assert torch.equal(flipped(bits(), 0.3, None), first)
    torch.set_rng_state(before)
