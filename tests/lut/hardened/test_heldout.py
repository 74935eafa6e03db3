"""The images that no shipped network was trained on."""

from pathlib import Path

import numpy as np
import pytest

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut import load_heldout
from pytest_potmodels.lut.hardened import heldout


def test_the_digits_are_360_images_of_64_pixels_with_17_greys_and_10_labels() -> None:
    digits = load_heldout("digits")
    assert digits.images.shape == (360, 64)
    assert digits.images.dtype == np.float32
    assert digits.labels.dtype == np.int64
    assert (digits.images.min(), digits.images.max()) == (0, 16)
    assert np.array_equal(digits.images, digits.images.round())
    counts = np.bincount(digits.labels)
    assert len(counts) == 10
    assert counts.min() >= 30
    assert len(digits) == 360
    assert repr(digits) == "Heldout(360 images of 64 pixels)"


def test_what_one_test_writes_no_other_sees() -> None:
    digits = load_heldout("digits")
    digits.images[:] = 99
    digits.labels[:] = 99
    assert digits.images.max() == 16
    assert digits.labels.max() == 9


@pytest.mark.slow
def test_they_are_the_stratified_fifth_of_the_digits_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets")
    selection = pytest.importorskip("sklearn.model_selection")
    whole = datasets.load_digits()
    _, images, _, labels = selection.train_test_split(
        whole.data, whole.target, test_size=0.2, stratify=whole.target, random_state=0
    )
    digits = load_heldout("digits")
    assert np.array_equal(digits.images, images)
    assert np.array_equal(digits.labels, labels)


def test_an_unknown_data_set_is_an_error_with_the_known_ones() -> None:
    with pytest.raises(LUTNameError, match=r"'digit'\. Did you mean 'digits'") as one:
        load_heldout("digit")
    assert "digits" in one.value.remedy
    with pytest.raises(LUTNameError):
        load_heldout("../data/digits")


def test_a_damaged_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "some_heldout.npz"
    path.write_bytes(b"no archive")
    with pytest.raises(LUTError, match=r"some_heldout\.npz cannot be read"):
        heldout.read(path)
    np.savez(path, images=np.zeros((3, 4), np.uint8))
    with pytest.raises(LUTError, match="labels"):
        heldout.read(path)
    np.savez(path, images=np.zeros((3, 4), np.uint8), labels=np.zeros(2, np.uint8))
    with pytest.raises(LUTError, match=r"labels uint8 \(2,\), expected uint8 \(N, F\) and \(N\)"):
        heldout.read(path)
    np.savez(path, images=np.array([{}]), labels=np.zeros(1, np.uint8))
    with pytest.raises(LUTError, match="cannot be read"):
        heldout.read(path)
