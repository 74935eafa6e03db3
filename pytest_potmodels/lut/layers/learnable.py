"""Connections that are learned: the learnable mapping of differentiable weightless networks.

Bacellar et al., "Differentiable Weightless Neural Networks", ICML 2024 (arXiv 2410.11112).
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from pytest_potmodels.lut.kernels import full_precision
from pytest_potmodels.lut.layers.base import Layer

#: Divides the scores where gradients go back to the features: nearly one feature alone.
_SHARPNESS = 0.001


class LearnableLayer(Layer):
    """Every input of every LUT looks at the feature with the highest score.

    The scores (F, W n) exist only while the layer learns, and `mapping` follows them. `freeze`
    lets them go, and so does loading weights without scores: files hold the mapping alone.
    """

    connections: nn.Parameter | None

    def connect(self, generator: torch.Generator | None) -> torch.Tensor:
        """Begin with random scores."""
        wanted = self.node.width * self.node.inputs
        self.connections = nn.Parameter(torch.rand(self.features, wanted, generator=generator))
        self.register_state_dict_pre_hook(_follow)  # type: ignore[no-untyped-call]
        self.register_load_state_dict_pre_hook(_let_go)  # type: ignore[no-untyped-call]
        return self._best(self.connections)

    def settle(self) -> None:
        """Have the mapping follow the scores."""
        if self.connections is not None:
            self.mapping.copy_(self._best(self.connections))

    def freeze(self) -> None:
        """Fix the connections at the highest scores, and let the scores go."""
        self.settle()
        self.connections = None

    def gathered(self, values: torch.Tensor) -> torch.Tensor:
        """What the LUTs look at; gradients go to the scores and to the features."""
        scores = self.connections
        if scores is None or not values.is_floating_point() or not torch.is_grad_enabled():
            return super().gathered(values)
        picked: torch.Tensor = _Choice.apply(  # type: ignore[no-untyped-call]
            values, scores, self.mapping.flatten()
        )
        return picked.view(*self.mapping.shape, values.shape[1])

    def _best(self, scores: torch.Tensor) -> torch.Tensor:
        # `argmax` gives the same in three times the time.
        best = scores.detach().max(0).indices
        return best.view(self.node.width, self.node.inputs)


class _Choice(torch.autograd.Function):
    """The chosen features forward; all scores, and nearly the chosen features, backward."""

    @staticmethod
    def forward(
        ctx: Any, values: torch.Tensor, scores: torch.Tensor, chosen: torch.Tensor
    ) -> torch.Tensor:
        ctx.save_for_backward(values, scores)
        return values.index_select(0, chosen)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,) = grads
        values, scores = ctx.saved_tensors
        for_values = for_scores = None
        with full_precision(grad):
            if ctx.needs_input_grad[0]:
                for_values = torch.softmax(scores / _SHARPNESS, dim=0) @ grad
            if ctx.needs_input_grad[1]:
                for_scores = (2 * values - 1) @ grad.T
        return for_values, for_scores, None


def _follow(layer: nn.Module, prefix: str, keep_vars: bool) -> None:  # noqa: ARG001, FBT001
    """Settle before the state is read; the signature is torch's."""
    if isinstance(layer, LearnableLayer):
        layer.settle()


def _let_go(layer: nn.Module, state: Mapping[str, Any], prefix: str, *_rest: Any) -> None:
    """Weights that hold a mapping and no scores end the learning."""
    if isinstance(layer, LearnableLayer) and f"{prefix}connections" not in state:
        layer.connections = None
