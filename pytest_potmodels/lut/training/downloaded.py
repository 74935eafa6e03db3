"""MNIST and CIFAR-10 from files that are there already; nothing is fetched and nothing unpickled.

MNIST lies as torchvision leaves it. Of CIFAR-10 the binary version is read: the files that
torchvision fetches are pickles, which could hold code.
"""

import gzip
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.training.images import Dataset, Images

_MNIST_FROM = "https://ossci-datasets.s3.amazonaws.com/mnist"
_CIFAR10_FROM = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz"
_CIFAR10_SHAPE = (3, 32, 32)
#: A label and three planes of pixels.
_CIFAR10_ROW = 1 + 3 * 32 * 32
#: The last two bytes of an IDX file's magic number: of bytes, and how many dimensions.
_IDX_BYTES = 8


def mnist(folder: Path) -> Dataset:
    """Read MNIST/raw/*-ubyte below a folder, or the same with .gz.

    Raises:
        LUTError: a file is not there, or is none of these; with where torchvision fetches it.
    """
    train, held = (
        _of_idx(folder / "MNIST" / "raw", f"{part}-images-idx3-ubyte", f"{part}-labels-idx1-ubyte")
        for part in ("train", "t10k")
    )
    return Dataset("mnist", (1, 28, 28), train, held)


def cifar10(folder: Path) -> Dataset:
    """Read cifar-10-batches-bin/*.bin below a folder.

    Raises:
        LUTError: a file is not there, or is none of these; with where to fetch it.
    """
    inside = folder / "cifar-10-batches-bin"
    train = _of_rows([inside / f"data_batch_{number}.bin" for number in range(1, 6)])
    return Dataset("cifar10", _CIFAR10_SHAPE, train, _of_rows([inside / "test_batch.bin"]))


def _of_idx(folder: Path, images: str, labels: str) -> Images:
    pixels, classes = _idx(folder / images, dimensions=3), _idx(folder / labels, dimensions=1)
    if len(pixels) != len(classes):
        raise LUTError(
            f"{folder / images} has {len(pixels)} images, {labels} has {len(classes)} labels.",
            remedy=f"fetch both again from {_MNIST_FROM}",
        )
    return _images(pixels.reshape(len(pixels), -1), classes)


def _idx(path: Path, *, dimensions: int) -> np.ndarray:
    """An array of bytes; the format: https://yann.lecun.com/exdb/mnist (big-endian sizes)."""
    data = _read(path, f"torchvision fetches it from {_MNIST_FROM}/{path.name}.gz")
    head = 4 + 4 * dimensions
    sizes = [int(size) for size in np.frombuffer(data[4:head], dtype=">u4")]
    expected = bytes([0, 0, _IDX_BYTES, dimensions])
    if data[:4] != expected or len(data) - head != int(np.prod(sizes)):
        raise LUTError(
            f"{path} is no complete IDX file with {dimensions} dimensions.",
            remedy=f"fetch it again from {_MNIST_FROM}/{path.name}.gz",
        )
    return np.frombuffer(data, np.uint8, offset=head).reshape(sizes)


def _of_rows(paths: Sequence[Path]) -> Images:
    """Rows of a label and 3072 pixels; the format: https://www.cs.toronto.edu/~kriz/cifar.html."""
    parts = []
    for path in paths:
        data = _read(path, f"it is in {_CIFAR10_FROM}")
        if not data or len(data) % _CIFAR10_ROW:
            raise LUTError(
                f"{path} has {len(data)} bytes, expected rows of {_CIFAR10_ROW}.",
                remedy=f"unpack it again from {_CIFAR10_FROM}",
            )
        parts.append(np.frombuffer(data, np.uint8).reshape(-1, _CIFAR10_ROW))
    rows = np.concatenate(parts)
    return _images(rows[:, 1:], rows[:, 0])


def _read(path: Path, whence: str) -> bytes:
    """A file's bytes, or those of the same name with .gz."""
    packed = path.with_name(f"{path.name}.gz")
    try:
        if not path.exists() and packed.exists():
            return gzip.decompress(packed.read_bytes())
        return path.read_bytes()
    except FileNotFoundError as error:
        raise LUTError(
            f"There is no file {path}; {whence}.",
            remedy="put it there, or name another folder with --data DIR",
        ) from error
    except (OSError, EOFError) as error:
        raise LUTError(f"{path} cannot be read: {error}.", remedy="fetch it again") from error


def _images(pixels: np.ndarray, labels: np.ndarray) -> Images:
    return Images(
        torch.from_numpy(pixels.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))
    )
