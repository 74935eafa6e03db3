"""The images that no shipped network was trained on."""

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pytest_potmodels.errors import LUTError, LUTNameError

_FOLDER = Path(__file__).parents[1] / "pretrained" / "data"
_SUFFIX = "_heldout.npz"


@dataclass(frozen=True, eq=False, repr=False)
class Heldout:
    """Images that are kept for measuring, with their labels.

    Each look at either gives an array of its own: what a test writes to it, no other test sees.
    """

    pixels: bytes
    classes: bytes
    #: F, the pixels of an image.
    features: int

    @property
    def images(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Raw pixel values (N, F), float32."""
        return np.frombuffer(self.pixels, np.uint8).reshape(-1, self.features).astype(np.float32)

    @property
    def labels(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """What each image shows (N), int64."""
        return np.frombuffer(self.classes, np.uint8).astype(np.int64)

    def __len__(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        return f"Heldout({len(self)} images of {self.features} pixels)"


def load_heldout(name: str = "digits") -> Heldout:
    """The held-out images of a data set: "digits" has 360 of 8x8 pixels with values 0 to 16.

    Raises:
        LUTNameError: this package has none of that name.
        LUTError: the file is damaged.
    """
    known = sorted(path.name.removesuffix(_SUFFIX) for path in _FOLDER.glob(f"*{_SUFFIX}"))
    if name not in known:
        name = str(name)
        remedy = f"there are held-out images of: {', '.join(known)}"
        raise LUTNameError("data set", name, known, remedy=remedy)
    return read(_FOLDER / f"{name}{_SUFFIX}")


def read(path: Path) -> Heldout:
    """The images in a file with uint8 arrays `images` (N, F) and `labels` (N).

    Raises:
        LUTError: it is damaged, or something else.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            images, labels = file["images"], file["labels"]
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise LUTError(f"{path} cannot be read: {error}", remedy="reinstall the package") from error
    bytes_only = images.dtype == labels.dtype == np.uint8
    if not bytes_only or images.ndim != len("NF") or labels.shape != images.shape[:1]:
        raise LUTError(
            f"{path} has images {images.dtype} {images.shape} and labels {labels.dtype} "
            f"{labels.shape}, expected uint8 (N, F) and (N)."
        )
    return Heldout(images.tobytes(), labels.tobytes(), images.shape[1])
