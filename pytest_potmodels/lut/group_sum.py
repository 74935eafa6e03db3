"""From bits to classes: the outputs of the last layer, counted in groups."""

import torch
from torch import nn

from pytest_potmodels.errors import LUTError


class GroupSum(nn.Module):
    """Sums of contiguous groups of outputs, divided by tau.

    Whoever takes the largest gets the lowest index where several are equal, as `argmax` does.

    Args:
        groups: the classes.
        tau: what the sums are divided by.
    """

    def __init__(self, groups: int, tau: float) -> None:
        super().__init__()
        self.groups = groups
        self.tau = tau

    def counts(self, outputs: torch.Tensor) -> torch.Tensor:
        """The sums alone: (W, B) -> (B, groups); of bits as int32.

        Raises:
            LUTError: the outputs do not divide into the groups.
        """
        width, batch = outputs.shape
        if width % self.groups:
            raise LUTError(
                f"{width} outputs do not divide into {self.groups} groups.",
                remedy=f"use {-(-width // self.groups) * self.groups} outputs",
            )
        kind = None if outputs.is_floating_point() else torch.int32
        return outputs.reshape(self.groups, -1, batch).sum(1, dtype=kind).T

    def forward(self, outputs: torch.Tensor) -> torch.Tensor:
        """The logits: (W, B) -> (B, groups), float32 for bits."""
        return self.logits(self.counts(outputs))

    def logits(self, counts: torch.Tensor) -> torch.Tensor:
        """Counts, divided by tau; integers as float32."""
        numbers = counts if counts.is_floating_point() else counts.to(torch.float32)
        # By a tensor: CUDA multiplies with the reciprocal of a number, and that rounds twice.
        return numbers / numbers.new_tensor(self.tau)

    def extra_repr(self) -> str:
        """What `print` shows."""
        return f"{self.groups} groups, tau={self.tau:g}"
