"""Stabilised gradients: shifted and scaled as the formula says, over a layer or a sample."""

import pytest
import torch

from pytest_potmodels.lut.gradients import Stabilization


def gradient() -> torch.Tensor:
    return torch.randn(5, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 1


def by_loops(values: list[float], target: float, epsilon: float, *, shift: bool) -> list[float]:
    mean = sum(values) / len(values) if shift else 0.0
    shifted = [value - mean for value in values]
    power = sum(value**2 for value in shifted) / len(shifted)
    return [value * target / (power + epsilon) ** 0.5 for value in shifted]


@pytest.mark.parametrize("shift", [False, True])
def test_layerwise_takes_all_elements_together(*, shift: bool) -> None:
    found = Stabilization("layerwise", 0.5, shift, 1e-3).stabilized(gradient())
    expected = by_loops(gradient().flatten().tolist(), 0.5, 1e-3, shift=shift)
    assert found.flatten().tolist() == pytest.approx(expected)


@pytest.mark.parametrize("shift", [False, True])
def test_batchwise_takes_each_sample_alone(*, shift: bool) -> None:
    found = Stabilization("batchwise", 0.5, shift, 1e-3).stabilized(gradient())
    for column in range(3):
        expected = by_loops(gradient()[:, column].tolist(), 0.5, 1e-3, shift=shift)
        assert found[:, column].tolist() == pytest.approx(expected)


def test_gradients_of_zero_stay_zero() -> None:
    assert not Stabilization("batchwise").stabilized(torch.zeros(4, 2)).any()


@pytest.mark.parametrize(("over", "changed"), [("none", False), ("layerwise", True)])
def test_what_is_watched_is_stabilised_on_the_way_back(over: str, *, changed: bool) -> None:
    values = gradient().requires_grad_()
    watched = Stabilization(over).watch(values * 2)  # type: ignore[arg-type]
    watched.backward(gradient())  # type: ignore[no-untyped-call]
    wanted = Stabilization("layerwise").stabilized(gradient()) if changed else gradient()
    assert values.grad is not None
    torch.testing.assert_close(values.grad, 2 * wanted)
