"""What a network is fed: checked, cast and flattened, and left as it is."""

import re

import numpy as np
import pytest
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.inputs import fitting, samples


def test_integers_booleans_and_other_floats_become_float32() -> None:
    for dtype in (torch.uint8, torch.int64, torch.bool, torch.float64, torch.float16):
        found = samples(torch.ones(2, 3, dtype=dtype), 3)
        assert found.dtype == torch.float32
        assert (found == 1).all()


def test_images_are_flattened_row_by_row() -> None:
    images = torch.arange(24.0).view(2, 1, 3, 4)
    assert torch.equal(samples(images, 12), images.view(2, 12))
    assert samples(torch.zeros(0, 3, 4), 12).shape == (0, 12)


def test_float32_samples_are_taken_as_they_are() -> None:
    given = torch.rand(4, 3)
    assert samples(given, 3).data_ptr() == given.data_ptr()


@pytest.mark.parametrize("check", [samples, fitting])
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (torch.zeros(5, 8, 9), "must be (N, 64), got (5, 8, 9)"),
        (torch.zeros(64), "must be (N, F), got (64,)"),
        (torch.tensor(1.0), "must be (N, F), got ()"),
        (torch.zeros(2, 64, dtype=torch.complex64), "complex64"),
        (np.zeros((2, 64)), "is a ndarray, expected a tensor"),
        ([[0.0] * 64], "is a list, expected a tensor"),
    ],
)
def test_what_cannot_be_meant_is_an_error(check: object, given: object, said: str) -> None:
    assert callable(check)
    with pytest.raises(LUTError, match=re.escape(said)):
        check(given, 64)


def test_nan_is_an_error_and_infinity_is_above_every_threshold() -> None:
    given = torch.zeros(2, 3)
    given[0, 1] = torch.inf
    assert torch.equal(samples(given, 3), given)
    given[1] = torch.nan
    with pytest.raises(LUTError, match="x has 3 NaN"):
        samples(given, 3)


def test_data_to_fit_to_is_there_and_finite() -> None:
    assert fitting(torch.ones(1, 5), None).shape == (1, 5)
    with pytest.raises(LUTError, match=r"is empty: \(0, 5\)"):
        fitting(torch.ones(0, 5), None)
    for strange in (torch.nan, torch.inf, -torch.inf):
        with pytest.raises(LUTError, match="has 2 values that are NaN or infinite"):
            fitting(torch.tensor([[1.0, strange], [strange, 1.0]]), 2)
