"""Connections that are drawn or counted once, and stay."""

import logging

import torch

from pytest_potmodels.lut.layers.base import Layer

_log = logging.getLogger(__name__)


class RandomLayer(Layer):
    """Random connections that use every feature equally often, to one.

    They are whole permutations of the features, one after the other, cut into rows. A row across
    a border between two may hold a feature twice; that is accepted, as the use stays even.
    """

    def connect(self, generator: torch.Generator | None) -> torch.Tensor:
        """Permutations, cut into rows."""
        wanted = _wanted(self)
        rounds = -(-wanted // self.features)
        drawn = [torch.randperm(self.features, generator=generator) for _ in range(rounds)]
        return torch.cat(drawn)[:wanted].view(self.node.width, self.node.inputs)


class ArangeLayer(Layer):
    """The features in their order, from the first again after the last."""

    def connect(self, generator: torch.Generator | None) -> torch.Tensor:  # noqa: ARG002
        """Count."""
        counted = torch.arange(_wanted(self)) % self.features
        return counted.view(self.node.width, self.node.inputs)


def _wanted(layer: Layer) -> int:
    wanted = layer.node.width * layer.node.inputs
    if wanted < layer.features:
        _log.warning(
            "%d LUTs of %d inputs see %d of %d features only.",
            *(layer.node.width, layer.node.inputs, wanted, layer.features),
        )
    return wanted
