"""Where a stage of a convolutional network looks: squares of an image, at even steps."""

from dataclasses import dataclass

import torch
from torch.nn.functional import pad

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.configuration import ModelConfig


@dataclass(frozen=True)
class Patches:
    """The squares of one stage.

    Args:
        channels: of the image.
        rows: positions from top to bottom.
        columns: positions from left to right.
        side: of a square.
        stride: from one position to the next.
        padding: zeros around the image.
    """

    channels: int
    rows: int
    columns: int
    side: int
    stride: int
    padding: int

    @classmethod
    def of(cls, config: ModelConfig, features: int) -> list["Patches"]:
        """The squares of each stage.

        Args:
            config: says how images are shaped, and squares.
            features: the values of an image, in as many channels as that makes.

        Raises:
            LUTError: an image is smaller than a square.
        """
        side, stride, padding = config.conv_kernel_size, config.conv_stride, config.conv_padding
        _, rows, columns = config.conv_input_shape or (0, 0, 0)
        channels, stages = features // (rows * columns), []
        for index, width in enumerate(config.layer_widths):
            room = min(rows, columns) + 2 * padding
            if room < side:
                raise LUTError(
                    f"stage {index} looks at squares of {side}, and its images measure {room}.",
                    remedy="fewer layer_widths, a smaller conv_kernel_size, or conv_padding",
                )
            rows, columns = ((size + 2 * padding - side) // stride + 1 for size in (rows, columns))
            stages.append(cls(channels, rows, columns, side, stride, padding))
            channels = width
        return stages

    @property
    def features(self) -> int:
        """The values of one square."""
        return self.channels * self.side**2

    @property
    def positions(self) -> int:
        """The squares of one image."""
        return self.rows * self.columns

    def taken(self, image: torch.Tensor) -> torch.Tensor:
        """The squares of images (C, H, W, B), as columns: (C side side, positions B)."""
        around = [self.padding] * 4
        padded = pad(image, (0, 0, *around))
        squares = padded.unfold(1, self.side, self.stride).unfold(2, self.side, self.stride)
        return squares.permute(0, 4, 5, 1, 2, 3).reshape(self.features, -1)
