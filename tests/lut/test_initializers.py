"""Initializers: spreads by the fans of one LUT, and the same values for the same seed."""

import math

import pytest
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.initializers import Fill
from pytest_potmodels.lut.registry import REGISTRY

INPUTS, WIDTH = 6, 3000
#: Name -> the standard deviation for tables of 64 entries, and whether values are uniform.
SPREADS = {
    "normal": (1.0, False),
    "uniform": (1 / math.sqrt(3), True),
    "xavier_uniform": (math.sqrt(2 / 65), True),
    "xavier_normal": (math.sqrt(2 / 65), False),
    "kaiming_uniform": (math.sqrt(2 / 64), True),
    "kaiming_normal": (math.sqrt(2 / 64), False),
    "variance_stabilized": (math.sqrt(4 / 7), False),
}


def fill(seed: int = 0, width: int = WIDTH) -> Fill:
    return Fill((width, 2**INPUTS), INPUTS, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", SPREADS)
def test_values_spread_as_the_formula_says(name: str) -> None:
    std, bounded = SPREADS[name]
    values = REGISTRY.get_initializer(name)(fill())
    assert values.shape == (WIDTH, 64)
    assert values.mean().item() == pytest.approx(0, abs=0.01 * std)
    assert values.std().item() == pytest.approx(std, rel=0.01)
    bound = math.sqrt(3) * std
    assert (values.abs().max() <= bound * 1.0001) == bounded


def test_the_bound_of_xavier_is_that_of_one_lut_however_many_there_are() -> None:
    function = REGISTRY.get_initializer("xavier_uniform")
    for width in (10, WIDTH):
        assert function(fill(width=width)).abs().max().item() == pytest.approx(0.304, abs=0.004)


def test_zeros_are_zeros() -> None:
    assert not REGISTRY.get_initializer("zeros")(fill()).any()


def test_residual_tables_pass_the_first_input_on() -> None:
    values = REGISTRY.get_initializer("residual")(fill(), strength=2.0, noise=0.1)
    for address in range(64):
        expected = 2.0 if address & 1 else -2.0
        assert values[:, address].mean().item() == pytest.approx(expected, abs=0.02)
        assert values[:, address].std().item() == pytest.approx(0.1, rel=0.1)


def test_residual_is_refused_where_there_is_no_table() -> None:
    with pytest.raises(LUTError, match="fills tables"):
        REGISTRY.get_initializer("residual")(Fill((4, INPUTS), INPUTS))


@pytest.mark.parametrize("name", [*SPREADS, "residual"])
def test_a_seed_gives_the_same_values_again(name: str) -> None:
    function = REGISTRY.get_initializer(name)
    assert torch.equal(function(fill(width=3)), function(fill(width=3)))
    assert not torch.equal(function(fill(width=3)), function(fill(1, width=3)))
