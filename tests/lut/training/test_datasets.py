"""The data sets: digits by scikit-learn, others from files that are there."""

import gzip
from pathlib import Path

import numpy as np
import pytest
import torch
from lut.training.mnist import idx, write

from pytest_potmodels import extras
from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut import load_heldout
from pytest_potmodels.lut.training.datasets import read_dataset

NOWHERE = Path("nowhere")


@pytest.fixture
def mnist(tmp_path: Path) -> Path:
    """A folder with few images."""
    return write(tmp_path)


def test_the_split_of_the_digits_is_the_one_whose_held_out_images_are_shipped() -> None:
    data, shipped = read_dataset("mine", "digits", NOWHERE), load_heldout()
    assert (len(data.train), len(data.held_out), data.shape) == (1437, 360, (1, 8, 8))
    assert np.array_equal(data.held_out.pixels.numpy(), shipped.images)
    assert np.array_equal(data.held_out.labels.numpy(), shipped.labels)
    assert data.train.pixels.dtype == torch.float32
    assert [float(end) for end in data.train.pixels.aminmax()] == [0, 16]
    seen = {row.numpy().tobytes() for row in data.train.pixels}
    assert not [row for row in data.held_out.pixels if row.numpy().tobytes() in seen]


def test_what_the_digits_need_is_called_as_pip_calls_it() -> None:
    error = extras.missing("sklearn.datasets", ModuleNotFoundError(name="sklearn"))
    assert error.message == "scikit-learn not available (not installed)"
    assert error.remedy.startswith("pip install scikit-learn ")
    assert "pytest-potmodels[lut]" in error.remedy


def test_mnist_is_read_as_torchvision_leaves_it_packed_or_not(mnist: Path) -> None:
    data = read_dataset("mine", "mnist", mnist)
    assert (data.train.pixels.shape, data.held_out.pixels.shape) == ((30, 784), (10, 784))
    assert data.train.labels.tolist() == [*range(10)] * 3
    plain = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    packed = gzip.compress(plain.read_bytes())
    plain.unlink()
    plain.with_name(f"{plain.name}.gz").write_bytes(packed)
    again = read_dataset("mine", "mnist", mnist)
    assert torch.equal(again.train.pixels, data.train.pixels)


def test_cifar10_is_read_from_its_binary_version(tmp_path: Path) -> None:
    folder = tmp_path / "cifar-10-batches-bin"
    folder.mkdir()
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    for label, name in enumerate(names):
        (folder / name).write_bytes((bytes([label]) + bytes([9] * 3072)) * 2)
    data = read_dataset("mine", "cifar10", tmp_path)
    assert data.train.labels.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert data.held_out.labels.tolist() == [5, 5]
    assert data.train.pixels.shape == (10, 3072)
    assert (data.train.pixels == 9).all()
    (folder / "data_batch_3.bin").write_bytes(b"short")
    with pytest.raises(LUTError, match=r"data_batch_3\.bin has 5 bytes, expected rows of 3073"):
        read_dataset("mine", "cifar10", tmp_path)


def test_what_is_not_there_is_named_with_where_torchvision_fetches_it(mnist: Path) -> None:
    (mnist / "MNIST" / "raw" / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(LUTError, match="t10k-labels-idx1-ubyte; torchvision fetches it") as caught:
        read_dataset("mine", "mnist", mnist)
    assert "/mnist/t10k-labels-idx1-ubyte.gz" in caught.value.message
    assert "--data" in caught.value.remedy
    with pytest.raises(LUTError, match=r"data_batch_1\.bin.*cifar-10-binary\.tar\.gz"):
        read_dataset("mine", "cifar10", mnist)


def test_a_damaged_file_is_named(mnist: Path) -> None:
    images = mnist / "MNIST" / "raw" / "train-images-idx3-ubyte"
    images.write_bytes(images.read_bytes()[:-1])
    with pytest.raises(LUTError, match="train-images-idx3-ubyte is no complete IDX file"):
        read_dataset("mine", "mnist", mnist)
    idx(images, np.zeros((29, 28, 28)))
    with pytest.raises(LUTError, match=r"29 images.*30 labels"):
        read_dataset("mine", "mnist", mnist)
    images.unlink()
    images.with_name(f"{images.name}.gz").write_bytes(b"no gzip")
    with pytest.raises(LUTError, match="cannot be read"):
        read_dataset("mine", "mnist", mnist)


def test_a_data_set_that_nobody_knows() -> None:
    with pytest.raises(LUTNameError, match=r"unknown dataset 'digit'.*'digits'"):
        read_dataset("mine", "digit", NOWHERE)
    with pytest.raises(LUTError, match="mine names no dataset"):
        read_dataset("mine", None, NOWHERE)
