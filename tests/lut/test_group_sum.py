"""GroupSum: contiguous groups, counted and divided."""

import math

import numpy as np
import pytest
import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.group_sum import GroupSum


def test_groups_are_contiguous_and_divided_by_tau() -> None:
    outputs = torch.arange(12.0).view(6, 2)  # Output w of sample s is 2 w + s.
    logits = GroupSum(3, tau=2.0)(outputs)
    expected = [[sum(2 * w + s for w in (2 * g, 2 * g + 1)) / 2 for g in range(3)] for s in (0, 1)]
    assert logits.tolist() == expected


def test_bits_are_counted_in_integers_and_divided_in_float32_as_numpy_does() -> None:
    bits = torch.randint(0, 2, (3000, 50), generator=torch.Generator().manual_seed(0))
    summed = GroupSum(10, tau=math.sqrt(300))
    counts = summed.counts(bits.to(torch.uint8))
    assert counts.dtype == torch.int32
    assert torch.equal(counts, bits.view(10, 300, 50).sum(1).T.int())
    logits = summed(bits.to(torch.uint8)).numpy()
    expected = counts.numpy().astype(np.float32) / np.float32(summed.tau)
    assert logits.dtype == np.float32
    assert np.array_equal(logits, expected)


def test_equal_counts_go_to_the_lowest_class() -> None:
    assert GroupSum(3, tau=1.0)(torch.ones(6, 1, dtype=torch.uint8)).argmax(1).tolist() == [0]


def test_a_rest_is_an_error_with_a_width_that_has_none() -> None:
    with pytest.raises(LUTError, match=r"1000 outputs(.|\n)*7 groups(.|\n)*use 1001"):
        GroupSum(7, tau=1.0)(torch.ones(1000, 1))
