"""How an error is counted: by what is large among the numbers, and never by marks of nothing."""

from typing import Any

import numpy as np
import pytest

from pytest_potmodels.onnx_export.nearness import distances, scales

LEAST = float(np.finfo(np.float32).min)


def row(*values: float) -> Any:
    return np.array(values, dtype=np.float32)


@pytest.mark.parametrize("mark", [LEAST, -1e9, -65504.0, -np.inf])
def test_beside_a_mark_of_nothing_numbers_are_counted_by_themselves(mark: float) -> None:
    errors, relative = distances(row(mark, 5.0, 2.0), row(mark, 5.0, 2.5))
    assert errors.tolist() == [0, 0, 0.5]
    assert relative.tolist() == pytest.approx([0, 0, 0.1])
    assert distances(row(mark, 5.0), row(0.0, 5.0))[1][0] >= 1


@pytest.mark.parametrize(
    "values",
    [(1e-9, 1.0), (0.0, 12345.0), (3.0, 299.0), (9000.0, 20000.0), (100.0, 9999.0)],
    ids=["a probability", "a zero", "an outlier", "large", "less than a mark"],
)
def test_an_outlier_is_no_mark(values: tuple[float, float]) -> None:
    assert scales(row(*values)).tolist() == pytest.approx([max(values)] * 2)


def test_what_is_everywhere_at_the_same_place_is_no_error() -> None:
    one = row(np.nan, np.inf, -np.inf, 1.0)
    assert not distances(one, one.copy())[1].any()
    assert np.isinf(distances(one, row(0, 0, 0, np.nan))[1]).all()


def test_nothing_is_near_to_zeros() -> None:
    assert not distances(row(0, 0), row(0, 0))[1].any()
    assert np.isinf(distances(row(0, 0), row(0, 1e-9))[1][1])


@pytest.mark.parametrize("dtype", ["int64", "bool", "uint8"])
def test_integers_are_equal_or_not(dtype: str) -> None:
    one, other = np.array([200, 1], dtype), np.array([200, 0], dtype)
    assert distances(one, other)[1].tolist() == [0, np.inf]
    far = np.array([2**62, 2**62 + 1])
    assert np.isinf(distances(far, far[::-1])[1]).all()


def test_no_number_at_all_is_no_error() -> None:
    errors, relative = distances(row(), row())
    assert errors.size == relative.size == 0
