"""A small image classifier, called the way torchvision's are."""

from typing import Any, Literal, cast

import numpy as np
import torch
from torch import nn
from torch.nn import functional

#: The names of the ten classes.
CATEGORIES = tuple(f"mock class {index}" for index in range(10))

#: What the transforms give: the size that torchvision's classifiers are fed.
IMAGE_SIZE = 224

_CHANNELS = (3, 32, 10)
#: The second convolution's map is pooled to this edge; 8 x 8 pixels are the least that fill it.
_POOLED = 4
#: Brings the whole to 1.0 MB.
_HIDDEN = 1536
_LEAST_PIXELS = 2 * _POOLED


class MockVisionModel(nn.Module):
    """Two convolutions (3 -> 32 -> 10 channels) and a hidden layer; 1.0 MB in all.

    Images (N, 3, H, W) of at least 8 x 8 pixels give logits (N, 10).
    """

    def __init__(self) -> None:
        super().__init__()
        first, second, third = _CHANNELS
        self.features = nn.Sequential(
            nn.Conv2d(first, second, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(second, third, kernel_size=3, padding=1),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(_POOLED),
        )
        self.classifier = nn.Sequential(
            nn.Linear(third * _POOLED**2, _HIDDEN), nn.ReLU(), nn.Linear(_HIDDEN, len(CATEGORIES))
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Classify images.

        Raises:
            ValueError: not (N, 3, H, W), or smaller than 8 x 8.
        """
        if x.dim() != len("NCHW") or x.shape[1] != _CHANNELS[0] or min(x.shape[2:]) < _LEAST_PIXELS:
            raise ValueError(
                f"expected images (N, 3, H, W) of at least {_LEAST_PIXELS} x {_LEAST_PIXELS} "
                f"pixels, found shape {tuple(x.shape)}"
            )
        return cast(torch.Tensor, self.classifier(torch.flatten(self.features(x), start_dim=1)))

    def extra_repr(self) -> str:
        """Say in the `repr` what this is."""
        return "a stand-in without pretrained weights"


class MockTransforms:
    """An image -> a normalised float tensor (3, 224, 224), as torchvision's presets give.

    Takes a PIL image, an array (H, W, 3) of bytes, or a tensor (..., 3, H, W) of bytes or of
    floats in 0..1. The image is resized as a whole; nothing is cropped off.
    """

    mean = (0.485, 0.456, 0.406)
    std = (0.229, 0.224, 0.225)

    def __call__(self, image: Any) -> torch.Tensor:
        """Prepare one image, or a batch given as a tensor."""
        pixels = image if isinstance(image, torch.Tensor) else _pixels(image)
        scaled = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels.float()
        batch = scaled.reshape(-1, *scaled.shape[-3:])
        resized = functional.interpolate(
            batch, size=(IMAGE_SIZE, IMAGE_SIZE), mode="bilinear", antialias=True
        )
        mean, std = (torch.tensor(row).view(3, 1, 1) for row in (self.mean, self.std))
        normalised = (resized - mean) / std
        return normalised.reshape(*scaled.shape[:-2], IMAGE_SIZE, IMAGE_SIZE)

    def __repr__(self) -> str:
        return f"MockTransforms(resize={IMAGE_SIZE}, mean={self.mean}, std={self.std})"


def _pixels(image: Any) -> torch.Tensor:
    """A PIL image or an array (H, W, 3), as a tensor (3, H, W)."""
    mode: Literal["RGB"] = "RGB"
    array = np.array(image.convert(mode) if hasattr(image, "convert") else image)
    return torch.from_numpy(array).permute(2, 0, 1)
