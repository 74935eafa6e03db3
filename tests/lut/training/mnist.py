"""A folder of MNIST with few images, as torchvision leaves it."""

from pathlib import Path

import numpy as np


def idx(path: Path, array: "np.ndarray") -> None:
    """Write an array of bytes as MNIST's files are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(bytes([0, 0, 8, array.ndim]) + sizes + array.astype(np.uint8).tobytes())


def write(folder: Path, train: int = 30, held_out: int = 10) -> Path:
    """Write images that a network can learn: each class has a bright row of its own."""
    generator = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", held_out)):
        labels = np.arange(count) % 10
        images = generator.integers(0, 100, (count, 28, 28))
        images[np.arange(count), 4 + 2 * labels] += 150
        idx(folder / "MNIST" / "raw" / f"{part}-images-idx3-ubyte", images)
        idx(folder / "MNIST" / "raw" / f"{part}-labels-idx1-ubyte", labels)
    return folder
