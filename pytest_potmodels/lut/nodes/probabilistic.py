"""LUTs whose entries are probabilities, and whose output is the expected entry."""

import torch
from torch import nn

from pytest_potmodels.lut.initializers import Fill, xavier_uniform
from pytest_potmodels.lut.kernels import multilinear
from pytest_potmodels.lut.nodes.base import Initializer, Node, Reader


class ProbabilisticNode(Node):
    """y = sum_a sigmoid(L_a / temperature) prod_j (x_j if a_j else 1 - x_j).

    With independent inputs that are 1 with probability x_j, this is the expected output.
    """

    logits: nn.Parameter

    def initialize(
        self, initializer: Initializer | None, generator: torch.Generator | None
    ) -> None:
        """Make the logits (W, 2^n)."""
        fill = Fill((self.width, 2**self.inputs), self.inputs, generator)
        self.logits = nn.Parameter((initializer or xavier_uniform)(fill))

    def reader(self, temperature: float) -> Reader:
        """The multilinear extension of the probabilities."""
        tables = self.probabilities(temperature)
        return lambda inputs: multilinear(tables, inputs)

    def scores(self) -> torch.Tensor:
        """The logits."""
        return self.logits
