"""Regularizers: exact sums over tables, compared with loops; their gradients reach the logits."""

import math
from collections.abc import Callable

import pytest
import torch
from lut_networks import fitted

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.registry import REGISTRY
from pytest_potmodels.lut.regularizers import loss

NAMES = ["clarity", "entropy", "functional", "l1", "l2", "spectral"]
Row = list[float]


def tables(inputs: int, width: int = 3) -> torch.Tensor:
    source = torch.Generator().manual_seed(inputs)
    return torch.rand(width, 2**inputs, generator=source, dtype=torch.float64)


def entropy(row: Row) -> float:
    return sum(-p * math.log(p) - (1 - p) * math.log(1 - p) for p in row) / len(row)


def clarity(row: Row) -> float:
    return sum(4 * p * (1 - p) for p in row) / len(row)


def steps(row: Row, power: float) -> float:
    inputs = len(row).bit_length() - 1
    pairs = [(a, a ^ (1 << place)) for a in range(len(row)) for place in range(inputs)]
    distances = [abs(row[a] - row[b]) for a, b in pairs]
    return sum(math.pow(distance, power) for distance in distances) / len(pairs)


def spectral(row: Row) -> float:
    total = 0.0
    for chosen in range(len(row)):
        signs = [-1 if (chosen & a).bit_count() % 2 else 1 for a in range(len(row))]
        coefficient = sum(s * p for s, p in zip(signs, row, strict=True)) / len(row)
        total += chosen.bit_count() * coefficient**2
    return total


BY_LOOPS: dict[str, Callable[[Row], float]] = {
    "clarity": clarity,
    "entropy": entropy,
    "functional": lambda row: steps(row, 1),
    "l1": lambda row: steps(row, 1),
    "l2": lambda row: steps(row, 2),
    "spectral": spectral,
}


@pytest.mark.parametrize("inputs", [1, 2, 4])
@pytest.mark.parametrize("name", NAMES)
def test_it_is_the_mean_over_luts_of_its_definition(name: str, inputs: int) -> None:
    values = tables(inputs)
    expected = sum(BY_LOOPS[name](row) for row in values.tolist()) / len(values)
    found = REGISTRY.get_regularizer(name)(values)
    assert found.shape == ()
    assert found.item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["clarity", "entropy"])
def test_decided_bits_cost_nothing_and_coins_the_most(name: str) -> None:
    function = REGISTRY.get_regularizer(name)
    assert function(torch.tensor([[0.0, 1.0]])) == 0
    most = {"clarity": 1.0, "entropy": math.log(2)}[name]
    assert function(torch.full((2, 4), 0.5)).item() == pytest.approx(most)


@pytest.mark.parametrize("name", ["functional", "spectral"])
def test_constant_tables_cost_nothing_and_parity_the_most(name: str) -> None:
    function = REGISTRY.get_regularizer(name)
    parity = [float(a.bit_count() % 2) for a in range(8)]
    dictator = [float(a & 1) for a in range(8)]
    costs = [function(torch.tensor([row])).item() for row in ([1.0] * 8, dictator, parity)]
    assert costs[0] == 0
    assert costs[0] < costs[1] < costs[2]


@pytest.mark.parametrize("name", NAMES)
def test_gradients_are_those_of_numerical_differences(name: str) -> None:
    assert torch.autograd.gradcheck(REGISTRY.get_regularizer(name), (tables(3).requires_grad_(),))


def test_a_power_is_taken_as_a_parameter() -> None:
    values = tables(3)
    found = loss([values], {"functional": {"weight": 1.0, "p": 3.0}})
    assert found is not None
    expected = sum(steps(row, 3) for row in values.tolist()) / len(values)
    assert found.item() == pytest.approx(expected)


def test_the_loss_is_the_weighted_sum_over_layers() -> None:
    layers = [tables(2), tables(3)]
    found = loss(layers, {"entropy": {"weight": 0.5}, "clarity": {"weight": 2.0}})
    assert found is not None
    parts = [
        weight * sum(BY_LOOPS[name](row) for row in layer.tolist()) / len(layer)
        for name, weight in (("entropy", 0.5), ("clarity", 2.0))
        for layer in layers
    ]
    assert found.item() == pytest.approx(sum(parts))


def test_nothing_wanted_or_no_weight_is_no_loss() -> None:
    assert loss([tables(2)], {}) is None
    assert loss([tables(2)], {"entropy": {"weight": 0.0}}) is None


def test_a_parameter_that_it_does_not_take_is_an_error_with_both_names() -> None:
    with pytest.raises(LUTError, match=r"regularizer entropy cannot take \{'q': 1\}"):
        loss([tables(2)], {"entropy": {"weight": 1.0, "q": 1}})


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_gradients_are_finite_where_a_bit_is_decided(name: str, value: float) -> None:
    decided = torch.full((2, 8), value, requires_grad=True)
    (found,) = torch.autograd.grad(REGISTRY.get_regularizer(name)(decided), decided)
    assert bool(found.isfinite().all())


@pytest.mark.parametrize("node", ["dwn", "probabilistic", "warp", "linear_lut"])
def test_a_network_that_is_sure_of_its_bits_goes_on_training(node: str) -> None:
    wanted = {name: {"weight": 0.1} for name in NAMES}
    model = fitted(node_type=node, runtime={"temperature": 1e-3, "regularizers": wanted})
    model.clamp()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(50)
    model.clamp()
    found = torch.autograd.grad(model.get_regularization_loss(), list(model.parameters()))
    assert all(bool(each.isfinite().all()) for each in found)
