"""Data that several tests train on."""

from pathlib import Path

import pytest

from pytest_potmodels.lut.training.datasets import read_dataset
from pytest_potmodels.lut.training.images import Dataset


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """All digits."""
    return read_dataset("mine", "digits", Path("nowhere"))
