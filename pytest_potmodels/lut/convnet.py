"""ConvNet: trees of LUTs that look at patches of an image, the same ones at every position."""

from collections.abc import Iterator
from typing import cast

import torch
from torch import nn

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.building import new_layer
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.patches import Patches
from pytest_potmodels.lut.running import Pass

#: Images of a batch that go through together in eval.
_CHUNK = 32


class ConvNet(BaseLUTModel):
    """Stages of trees over patches, and the channels of the last, pooled over all positions.

    An output channel of a stage is a tree of LUTs, `conv_tree_depth` of them from a patch to the
    root. The leaves look at the patch as `layer_type` says; every other LUT looks at n of the
    level below it, which nobody else looks at. `layer_widths` are the channels.

    Pooling "average" counts the positions, and the logits are divided by their number as well;
    "or" asks whether any has a 1: smooth, 1 - prod(1 - x).

    Args:
        config: with `conv_input_shape`, so that all tensors exist at once.

    Raises:
        LUTError: a value that cannot be meant; or a stage has no room for a patch.
    """

    def __init__(self, config: ModelConfig) -> None:
        shape = config.conv_input_shape
        config.check()
        if shape is None:
            raise LUTError(
                "a convnet needs conv_input_shape.",
                remedy="conv_input_shape: [channels, height, width]",
            )
        channels, height, width = shape
        super().__init__(config.copy(input_size=channels * height * width))

    @property
    def pooled(self) -> int:
        """How many outputs of the last layer stand for one of `layer_widths`."""
        stages = Patches.of(self.config, self.config.input_size or 0)
        return stages[-1].positions if self.config.conv_pooling == "average" else 1

    def build(self, features: int) -> None:
        """Make the trees, a layer for each level of each stage."""
        depth, inputs = self.config.conv_tree_depth, self.config.node_input_dim
        self.layers = nn.ModuleList()
        stages = Patches.of(self.config, features)
        for patches, channels in zip(stages, self.config.layer_widths, strict=True):
            below = patches.features
            for level in reversed(range(depth)):
                kind = "" if level == depth - 1 else "arange"
                width, index = channels * inputs**level, len(self.layers)
                self.layers.append(new_layer(self.config, below, width, index, layer_type=kind))
                below = width

    def outputs(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
        """All stages, and the positions: as rows beside each other, or pooled."""
        if run.training:
            return self._stages(bits, run)
        parts = torch.split(bits, _CHUNK, dim=1)
        return torch.cat([self._stages(part, run) for part in parts], dim=1)

    def _stages(self, bits: torch.Tensor, run: Pass) -> torch.Tensor:
        stages, batch = Patches.of(self.config, len(bits)), bits.shape[1]
        channels, height, width = self.config.conv_input_shape or (0, 0, 0)
        image = bits.view(channels, height, width, -1, batch).permute(0, 3, 1, 2, 4)
        image = image.reshape(-1, height, width, batch)
        for patches, layers in zip(stages, self._trees(), strict=True):
            values = patches.taken(image)
            for layer in layers:
                values = layer(values, run)
            image = values.view(-1, patches.rows, patches.columns, batch)
        return self._pool(image.flatten(1, 2))

    def _pool(self, found: torch.Tensor) -> torch.Tensor:
        """Channels, positions, batch -> what is counted by class."""
        if self.config.conv_pooling == "average":
            return found.flatten(0, 1)
        return 1 - (1 - found).prod(1) if found.is_floating_point() else found.amax(1)

    def _trees(self) -> Iterator[list[Layer]]:
        depth = self.config.conv_tree_depth
        layers = cast(list[Layer], list(self.layers))
        return (layers[start : start + depth] for start in range(0, len(layers), depth))
