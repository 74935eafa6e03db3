"""What every kind of LUT can do."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from pytest_potmodels.lut.initializers import Fill
from pytest_potmodels.lut.kernels import full_precision

#: Reads all LUTs of a layer for a batch: inputs (W, n, B) -> outputs (W, B).
Reader = Callable[[torch.Tensor], torch.Tensor]
#: Makes the values of a parameter.
Initializer = Callable[[Fill], torch.Tensor]


class Node(nn.Module, ABC):
    """W LUTs of n inputs each, as one module; batch last.

    A kind of its own gives `reader` and `scores`; the rest follows from them.

    Args:
        width: W, the LUTs.
        inputs: n, the inputs of each.
        initializer: what the parameters start from; None: what suits the kind.
        generator: where random starts come from; None is torch's global one.
    """

    def __init__(
        self,
        width: int,
        inputs: int,
        *,
        initializer: Initializer | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.width = width
        self.inputs = inputs
        self.initialize(initializer, generator)

    @abstractmethod
    def initialize(
        self, initializer: Initializer | None, generator: torch.Generator | None
    ) -> None:
        """Make the parameters, or start them afresh."""

    @abstractmethod
    def reader(self, temperature: float) -> Reader:
        """The smooth forward at a temperature; what batches share is computed here, once."""

    @abstractmethod
    def scores(self) -> torch.Tensor:
        """What decides each bit of the tables (W, 2^n): the bit is 1 where it is above 0."""

    def probabilities(self, temperature: float) -> torch.Tensor:
        """How likely each bit of the tables (W, 2^n) is a 1, as sampling draws it."""
        return torch.sigmoid(self.scores() / temperature)

    def soft(self, inputs: torch.Tensor, temperature: float) -> torch.Tensor:
        """The smooth forward: inputs (W, n, B) in [0, 1] -> outputs (W, B) in [0, 1]."""
        return self.reader(temperature)(inputs)

    def table(self) -> torch.Tensor:
        """The bits that the LUTs are in hardware: bool (W, 2^n)."""
        some = next(self.parameters(), torch.empty(0))
        with torch.no_grad(), full_precision(some):
            return self.scores() > 0

    def configure(self, setting: Callable[[str], Any]) -> None:
        """Take runtime values that this kind alone knows; `setting` gives the value of a key."""

    def clamp(self) -> None:
        """Bring parameters back into their range after an optimiser's step."""

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.width} LUTs of {self.inputs} inputs"
