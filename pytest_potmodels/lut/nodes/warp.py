"""LUTs as Walsh series: products of inputs as signs, from none of them to all."""

import torch
from torch import nn

from pytest_potmodels.lut.initializers import Fill, xavier_uniform
from pytest_potmodels.lut.kernels import corners, walsh
from pytest_potmodels.lut.nodes.base import Initializer, Node, Reader


class WarpNode(Node):
    """y = sigmoid(sum_S c_S prod_{i in S} (2 x_i - 1) / temperature), S as a bit mask."""

    coefficients: nn.Parameter

    def initialize(
        self, initializer: Initializer | None, generator: torch.Generator | None
    ) -> None:
        """Make the coefficients (W, 2^n)."""
        fill = Fill((self.width, 2**self.inputs), self.inputs, generator)
        self.coefficients = nn.Parameter((initializer or xavier_uniform)(fill))

    def reader(self, temperature: float) -> Reader:
        """The series in the smooth inputs."""
        # Divided last: coefficients that are infinite for a low temperature would cancel to NaN.
        return lambda inputs: torch.sigmoid(walsh(self.coefficients, inputs) / temperature)

    def scores(self) -> torch.Tensor:
        """The series at each address."""
        bits = corners(self.inputs).to(self.coefficients)
        # A factor is -1 where the set has the input and the address has not.
        missing = bits @ (1 - bits).T
        return self.coefficients @ (1 - 2 * (missing % 2))
