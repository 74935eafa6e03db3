"""Gradients of one size through all layers: depth shrinks them, and this puts them back."""

from dataclasses import dataclass
from typing import Literal

import torch


@dataclass(frozen=True)
class Stabilization:
    """g becomes (g - mean) * target / sqrt(mean(g^2) + epsilon).

    Args:
        over: "layerwise" takes both means over all of a layer, "batchwise" over each sample.
        target: the deviation that gradients get.
        subtract_mean: whether the mean goes; without it gradients keep their signs.
        epsilon: keeps gradients of zero at zero.
    """

    over: Literal["none", "layerwise", "batchwise"] = "none"
    target: float = 1.0
    subtract_mean: bool = False
    epsilon: float = 1e-8

    def watch(self, outputs: torch.Tensor) -> torch.Tensor:
        """Stabilise the gradient that comes back to a layer's outputs (W, B)."""
        if self.over != "none" and outputs.requires_grad:
            outputs.register_hook(self.stabilized)  # type: ignore[no-untyped-call]
        return outputs

    def stabilized(self, grad: torch.Tensor) -> torch.Tensor:
        """The gradient (W, B), shifted and scaled."""
        axes = [0, 1] if self.over == "layerwise" else [0]
        if self.subtract_mean:
            grad = grad - grad.mean(axes, keepdim=True)
        power = grad.square().mean(axes, keepdim=True)
        return grad * (self.target / torch.sqrt(power + self.epsilon))
