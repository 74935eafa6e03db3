"""What the parameters of LUTs start from: functions of a `Fill`, registered by name.

The fans are those of one LUT, whose entries go into one output. They are not read off the shape
of the tensor, which holds all LUTs of a layer.
"""

import math
from dataclasses import dataclass

import torch

from pytest_potmodels.errors import LUTError


@dataclass(frozen=True)
class Fill:
    """A parameter that wants values.

    Args:
        shape: (W, entries); the last axis is what goes into one output.
        inputs: n, the inputs of each LUT.
        generator: where random values come from; None is torch's global one.
    """

    shape: tuple[int, ...]
    inputs: int
    generator: torch.Generator | None = None

    @property
    def fan_in(self) -> int:
        """What goes into one output: 2^n for a table."""
        return self.shape[-1]

    def uniform(self, low: float, high: float) -> torch.Tensor:
        """Values between two bounds."""
        return torch.empty(self.shape).uniform_(low, high, generator=self.generator)

    def normal(self, mean: float, std: float) -> torch.Tensor:
        """Values around a mean."""
        return torch.empty(self.shape).normal_(mean, std, generator=self.generator)


def zeros(fill: Fill) -> torch.Tensor:
    """All zero: every bit undecided."""
    return torch.zeros(fill.shape)


def normal(fill: Fill, *, mean: float = 0.0, std: float = 1.0) -> torch.Tensor:
    """Normal values."""
    return fill.normal(mean, std)


def uniform(fill: Fill, *, low: float = -1.0, high: float = 1.0) -> torch.Tensor:
    """Uniform values."""
    return fill.uniform(low, high)


def xavier_uniform(fill: Fill, *, gain: float = 1.0) -> torch.Tensor:
    """Uniform within gain sqrt(6 / (1 + fan_in)) (Glorot and Bengio, 2010)."""
    bound = gain * math.sqrt(6 / (1 + fill.fan_in))
    return fill.uniform(-bound, bound)


def xavier_normal(fill: Fill, *, gain: float = 1.0) -> torch.Tensor:
    """Normal of deviation gain sqrt(2 / (1 + fan_in)) (Glorot and Bengio, 2010)."""
    return fill.normal(0, gain * math.sqrt(2 / (1 + fill.fan_in)))


def kaiming_uniform(fill: Fill, *, gain: float = math.sqrt(2)) -> torch.Tensor:
    """Uniform within gain sqrt(3 / fan_in) (He et al., 2015)."""
    bound = gain * math.sqrt(3 / fill.fan_in)
    return fill.uniform(-bound, bound)


def kaiming_normal(fill: Fill, *, gain: float = math.sqrt(2)) -> torch.Tensor:
    """Normal of deviation gain / sqrt(fan_in) (He et al., 2015)."""
    return fill.normal(0, gain / math.sqrt(fill.fan_in))


def variance_stabilized(fill: Fill, *, variance: float = 1.0) -> torch.Tensor:
    """Normal of variance 4 v / (n + 1): n inputs and one output of each LUT."""
    return fill.normal(0, math.sqrt(4 * variance / (fill.inputs + 1)))


def residual(fill: Fill, *, strength: float = 5.0, noise: float = 0.1) -> torch.Tensor:
    """Tables that pass their first input on: +strength where its bit is 1, else -strength.

    Raises:
        LUTError: the parameter is no table of 2^n entries.
    """
    if fill.fan_in != 2**fill.inputs:
        raise LUTError(
            "init_fn residual fills tables, and this kind of node has none.",
            remedy="node_type: probabilistic or dwn, or another init_fn",
        )
    passed_on = torch.arange(fill.fan_in) % 2 * 2 - 1
    return strength * passed_on + fill.normal(0, noise)
