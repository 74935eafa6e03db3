"""SimpleFeedForward: layer after layer, each connected to the one before."""

from typing import cast

import torch
from torch import nn

from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.building import new_layer
from pytest_potmodels.lut.hardened.hardening import harden, obstacle
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.running import Pass

#: From so many samples on it pays to harden the network for one call: 64 go in a word then.
_MANY = 128


class SimpleFeedForward(BaseLUTModel):
    """A stack of layers of LUTs."""

    def build(self, features: int) -> None:
        """Make the layers, each as wide as `layer_widths` says."""
        self.layers = nn.ModuleList()
        for index, width in enumerate(self.config.layer_widths):
            self.layers.append(new_layer(self.config, features, width, index))
            features = width

    def outputs(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
        """One layer after the other."""
        for layer in self.layers:
            bits = cast(Layer, layer)(bits, run)
        return bits

    def exact_counts(self, rows: torch.Tensor) -> torch.Tensor:
        """The same counts, of many samples as the hardened network gives them."""
        # A class of the user's may count otherwise, and torch compiles no words of 64 samples.
        # Weights may change between two calls.
        plain = type(self) is SimpleFeedForward and not torch.compiler.is_compiling()
        plain = plain and not obstacle(self)
        if len(rows) < _MANY or not plain or rows.device.type != "cpu":
            return super().exact_counts(rows)
        return torch.from_numpy(harden(self)(rows.detach().numpy()))
