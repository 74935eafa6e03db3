"""The handwritten digits of UCI, as scikit-learn brings them: 1797 images of 8x8, 17 greys."""

import numpy as np
import torch

from pytest_potmodels import extras
from pytest_potmodels.lut.training.images import Dataset, Images

#: Of all images, those that no training sees; drawn per class, so that all classes are in both.
_HELD_OUT = 0.2
_SPLIT_SEED = 0


def read() -> Dataset:
    """Split the digits: 1437 images for training, 360 held out, the same at each call.

    Raises:
        MissingPackageError: scikit-learn is not installed.
    """
    digits = extras.require("sklearn.datasets").load_digits()
    split = extras.require("sklearn.model_selection").train_test_split
    train_x, held_x, train_y, held_y = split(
        digits.data,
        digits.target,
        test_size=_HELD_OUT,
        stratify=digits.target,
        random_state=_SPLIT_SEED,
    )
    return Dataset("digits", (1, 8, 8), _images(train_x, train_y), _images(held_x, held_y))


def _images(pixels: np.ndarray, labels: np.ndarray) -> Images:
    return Images(
        torch.from_numpy(pixels.astype(np.float32)), torch.from_numpy(labels.astype(np.int64))
    )
