"""What a loss may add for tables to be decided, or smooth: functions of their probabilities.

Each takes the probabilities (W, 2^n) that table bits are 1, and gives the mean over the LUTs as a
0-dimensional tensor. All are exact sums over the table.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.registry import REGISTRY


def entropy(probabilities: torch.Tensor) -> torch.Tensor:
    """The entropy of each bit, in nats: from 0, decided, to ln 2."""
    return (_surprise(probabilities) + _surprise(1 - probabilities)).mean()


def clarity(probabilities: torch.Tensor) -> torch.Tensor:
    """4 p (1 - p): from 0, decided, to 1, a coin."""
    return (4 * probabilities * (1 - probabilities)).mean()


def functional(probabilities: torch.Tensor, *, p: float = 1.0) -> torch.Tensor:
    """|p_a - p_b|^p over all pairs of entries that one input tells apart; p is at least 1."""
    width, entries = probabilities.shape
    inputs = entries.bit_length() - 1
    cube = probabilities.reshape(width, *[2] * inputs)
    steps = [cube.diff(dim=1 + each).abs().pow(p).mean() for each in range(inputs)]
    return torch.stack(steps).mean()


def l1(probabilities: torch.Tensor) -> torch.Tensor:
    """`functional` with p = 1."""
    return functional(probabilities, p=1.0)


def l2(probabilities: torch.Tensor) -> torch.Tensor:
    """`functional` with p = 2."""
    return functional(probabilities, p=2.0)


def spectral(probabilities: torch.Tensor) -> torch.Tensor:
    """sum_S |S| c_S^2 of the Walsh coefficients c: high degrees cost more, the mean nothing."""
    entries = probabilities.shape[1]
    inputs = entries.bit_length() - 1
    coefficients = probabilities.reshape(-1, *[2] * inputs)
    for axis in range(1, inputs + 1):
        low, high = coefficients.unbind(axis)
        coefficients = torch.stack((low + high, low - high), dim=axis) / 2
    degrees = torch.tensor([each.bit_count() for each in range(entries)])
    degrees = degrees.to(probabilities)
    return (coefficients.reshape(-1, entries).square() @ degrees).mean()


def _surprise(probabilities: torch.Tensor) -> torch.Tensor:
    # The slope at 0 is infinite, and entries that are decided would get NaN for a gradient.
    least = torch.finfo(probabilities.dtype).eps
    return -probabilities * probabilities.clamp(min=least).log()


def loss(
    tables: Iterable[torch.Tensor], wanted: Mapping[str, Mapping[str, Any]]
) -> torch.Tensor | None:
    """The weighted sum over all layers; None where nothing is wanted.

    Args:
        tables: the probabilities of each layer.
        wanted: name -> its weight and parameters.

    Raises:
        LUTError: a parameter that the regularizer does not take.
    """
    terms = {name: dict(said) for name, said in wanted.items() if said["weight"]}
    if not terms:
        return None
    layers = list(tables)
    return torch.stack([_term(name, said, layers) for name, said in terms.items()]).sum()


def _term(name: str, said: dict[str, Any], layers: list[torch.Tensor]) -> torch.Tensor:
    weight, function = said.pop("weight"), REGISTRY.get_regularizer(name)
    try:
        values = [function(probabilities, **said) for probabilities in layers]
    except TypeError as error:
        raise LUTError(f"regularizer {name} cannot take {said!r}: {error}") from error
    total: torch.Tensor = weight * torch.stack(values).sum()
    return total
