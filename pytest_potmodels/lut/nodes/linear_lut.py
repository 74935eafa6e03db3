"""LUTs that a weighted sum of the inputs decides: n + 1 numbers in place of 2^n."""

import torch
from torch import nn

from pytest_potmodels.lut.initializers import Fill, xavier_uniform
from pytest_potmodels.lut.kernels import corners
from pytest_potmodels.lut.nodes.base import Initializer, Node, Reader


class LinearLUTNode(Node):
    """y = sigmoid((w x + c) / temperature); the bit at address a is [w a + c > 0]."""

    weight: nn.Parameter
    bias: nn.Parameter

    def initialize(
        self, initializer: Initializer | None, generator: torch.Generator | None
    ) -> None:
        """Make the weights (W, n), and biases (W,) that put the middle of the inputs on 0."""
        fill = Fill((self.width, self.inputs), self.inputs, generator)
        weight = (initializer or xavier_uniform)(fill)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(-weight.sum(1) / 2)

    def reader(self, temperature: float) -> Reader:
        """One small product per LUT."""
        weight, bias = self.weight[:, None], self.bias[:, None]
        return lambda inputs: torch.sigmoid(
            (torch.bmm(weight, inputs).squeeze(1) + bias) / temperature
        )

    def scores(self) -> torch.Tensor:
        """The weighted sum at each address."""
        addresses = corners(self.inputs).to(self.weight)
        return self.weight @ addresses.T + self.bias[:, None]
