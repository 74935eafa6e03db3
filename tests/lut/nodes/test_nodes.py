"""What holds of every kind of node, and what each computes by its definition."""

import itertools
import math
from typing import Any

import pytest
import torch
from lut_by_definition import corner, each, extension, walsh_sum

from pytest_potmodels.lut.kernels import corners
from pytest_potmodels.lut.nodes import Node
from pytest_potmodels.lut.registry import REGISTRY

KINDS = ["dwn", "dwn_stable", "linear_lut", "probabilistic", "warp"]
SMOOTH = ["linear_lut", "probabilistic", "warp"]


def node(kind: str, width: int = 4, inputs: int = 3, **more: Any) -> Node:
    source = torch.Generator().manual_seed(5)
    made: Node = REGISTRY.get_node(kind)(width, inputs, generator=source, **more)
    return made


def sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-value))


def samples(width: int = 4, inputs: int = 3, batch: int = 6) -> torch.Tensor:
    return torch.rand(width, inputs, batch, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("kind", KINDS)
def test_a_table_is_where_scores_are_above_zero(kind: str) -> None:
    found = node(kind)
    table = found.table()
    assert table.dtype == torch.bool
    assert table.tolist() == [[score > 0 for score in row] for row in found.scores().tolist()]
    assert 0 < table.float().mean() < 1


@pytest.mark.parametrize("kind", KINDS)
def test_on_bits_it_answers_as_likely_as_its_table_says(kind: str) -> None:
    found, bits = node(kind), corners(3).T.expand(4, 3, 8)
    for temperature in (0.3, 1.0, 4.0):
        answers = found.soft(bits, temperature)
        assert torch.equal(answers > 0.5, found.table())
        if kind in SMOOTH:
            chances = found.probabilities(temperature)
            torch.testing.assert_close(answers, chances, rtol=1e-5, atol=1e-6)
            assert torch.equal(chances > 0.5, found.table())


@pytest.mark.parametrize("kind", KINDS)
def test_answers_and_probabilities_lie_between_0_and_1(kind: str) -> None:
    found = node(kind)
    for values in (found.soft(samples(), 0.1), found.probabilities(0.1)):
        assert values.min() >= 0
        assert values.max() <= 1


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_makes_the_same_node_and_moves_no_other_random_state(kind: str) -> None:
    before = torch.get_rng_state()
    first, second = node(kind), node(kind)
    assert torch.equal(torch.get_rng_state(), before)
    for name, values in first.state_dict().items():
        assert torch.equal(values, second.state_dict()[name])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter_and_the_inputs(kind: str) -> None:
    found, values = node(kind), samples(batch=64).requires_grad_()
    found.soft(values, 1.0).square().sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    assert values.grad.abs().sum() > 0
    for parameter in found.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0


def test_probabilistic_is_the_extension_of_its_probabilities() -> None:
    found = node("probabilistic")
    chances = [[sigmoid(value / 0.7) for value in row] for row in found.scores().tolist()]
    expected = each(extension, torch.tensor(chances, dtype=torch.float64), samples())
    torch.testing.assert_close(found.soft(samples(), 0.7).double(), expected, rtol=0, atol=1e-6)


def test_warp_is_the_sigmoid_of_its_series_and_scores_are_the_series_on_bits() -> None:
    found = node("warp")
    (coefficients,) = (parameter.detach() for parameter in found.parameters())
    series = each(walsh_sum, coefficients, samples())
    expected = torch.sigmoid(series / 0.7)
    torch.testing.assert_close(found.soft(samples(), 0.7).double(), expected, rtol=0, atol=1e-6)
    on_bits = each(walsh_sum, coefficients, corners(3).T.expand(4, 3, 8))
    torch.testing.assert_close(found.scores().double(), on_bits, rtol=0, atol=1e-6)


def test_linear_lut_is_the_sigmoid_of_a_weighted_sum() -> None:
    found = node("linear_lut")
    weight, bias = found.get_parameter("weight").tolist(), found.get_parameter("bias").tolist()
    answers, scores = found.soft(samples(), 0.7), found.scores()
    for row, column in itertools.product(range(4), range(6)):
        inputs = samples()[row, :, column].tolist()
        total = bias[row] + sum(w * x for w, x in zip(weight[row], inputs, strict=True))
        assert answers[row, column].item() == pytest.approx(sigmoid(total / 0.7), abs=1e-6)
    for row, address in itertools.product(range(4), range(8)):
        total = bias[row] + sum(
            w * bit for w, bit in zip(weight[row], corner(address, 3), strict=True)
        )
        assert scores[row, address].item() == pytest.approx(total, abs=1e-6)
