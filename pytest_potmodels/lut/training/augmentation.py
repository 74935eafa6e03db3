"""Images moved by a pixel: more to learn from than there is."""

import torch
from torch.nn import functional

#: No move, and one pixel either way.
_MOVES = 3


def shifted(
    pixels: torch.Tensor, shape: tuple[int, int, int], share: float, generator: torch.Generator
) -> torch.Tensor:
    """Move a share of the images by -1, 0 or 1 pixel in each direction; what is new is 0.

    Args:
        pixels: (N, C * H * W) float32.
        shape: (C, H, W).
        share: how likely an image is moved.
        generator: of which images, and of how far.

    Returns:
        (N, C * H * W), of the same dtype.
    """
    count, (channels, height, width) = len(pixels), shape
    down, right = torch.randint(0, _MOVES, (2, count), generator=generator)
    stays = torch.rand(count, generator=generator) >= share
    down[stays], right[stays] = 1, 1
    framed = functional.pad(pixels.view(count, channels, height, width), (1, 1, 1, 1))
    rows = (down[:, None] + torch.arange(height))[:, None, :, None]
    columns = (right[:, None] + torch.arange(width))[:, None, None, :]
    each = torch.arange(count)[:, None, None, None]
    channel = torch.arange(channels)[None, :, None, None]
    return framed[each, channel, rows, columns].reshape(count, -1)
