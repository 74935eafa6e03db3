"""Images with their labels, as training and measuring take them."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch

#: Columns that a layer's intermediate values stay in the cache for.
_BATCH = 128


@dataclass(frozen=True)
class Images:
    """Raw pixel values (N, F) float32 and labels (N,) int64."""

    pixels: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def batches(self) -> Iterator["Images"]:
        """All images in their order, a few at a time."""
        for start in range(0, len(self), _BATCH):
            yield self[start : start + _BATCH]

    def __getitem__(self, which: slice | torch.Tensor) -> "Images":
        return Images(self.pixels[which], self.labels[which])


@dataclass(frozen=True)
class Dataset:
    """What a model is trained on, and what it is measured on afterwards; `shape` is (C, H, W)."""

    name: str
    shape: tuple[int, int, int]
    train: Images
    held_out: Images
