"""What every layer can do: pick inputs for its LUTs, and read them in each mode."""

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import nn

from pytest_potmodels.lut.kernels import looked_up, packed
from pytest_potmodels.lut.nodes import Node
from pytest_potmodels.lut.noise import drawn, dropped, flipped
from pytest_potmodels.lut.running import Pass

#: Columns of a batch that go through a layer together in eval: what they take stays in the cache.
CHUNK = 256


class Layer(nn.Module, ABC):
    """W LUTs and the connections to their inputs; batch last.

    The connections are a buffer: without them the weights mean nothing. A kind of its own gives
    `connect`.

    Args:
        features: what there is to connect to.
        node: the LUTs.
        generator: where random connections come from; None is torch's global one.
    """

    mapping: torch.Tensor

    def __init__(
        self, features: int, node: Node, *, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.features = features
        self.node = node
        self.register_buffer("mapping", self.connect(generator).to(torch.int32))

    @abstractmethod
    def connect(self, generator: torch.Generator | None) -> torch.Tensor:
        """Which feature each input of each LUT looks at: (W, n)."""

    def settle(self) -> None:
        """Bring `mapping` up to date with what is being learned."""

    def freeze(self) -> None:
        """Fix the connections for good, if they are still being learned."""

    def gathered(self, values: torch.Tensor) -> torch.Tensor:
        """What the LUTs look at: (F, B) -> (W, n, B)."""
        picked = values.index_select(0, self.mapping.flatten())
        return picked.view(*self.mapping.shape, values.shape[1])

    def forward(self, values: torch.Tensor, run: Pass) -> torch.Tensor:
        """One pass: numbers in [0, 1] or uint8 bits (F, B) -> the same of the LUTs (W, B)."""
        if run.flip_everywhere:
            values = flipped(values, run.flip, run.generator)
        if run.training:
            values = dropped(values, run.dropout, run.generator)
        self.settle()
        read = self._reader(run)
        if run.training:
            return run.stabilization.watch(read(values))
        return torch.cat([read(part) for part in torch.split(values, CHUNK, dim=1)], dim=1)

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"of {self.features} features"

    def _reader(self, run: Pass) -> Callable[[torch.Tensor], torch.Tensor]:
        if run.mode == "soft":
            soft = self.node.reader(run.temperature)
            return lambda values: soft(self.gathered(values))
        if run.mode == "hard":
            table = self.node.table().to(torch.uint8)
            return lambda bits: looked_up(table, packed(self.gathered(bits)))
        chances = self.node.probabilities(run.temperature).detach()
        return lambda bits: drawn(looked_up(chances, packed(self.gathered(bits))), run.generator)
