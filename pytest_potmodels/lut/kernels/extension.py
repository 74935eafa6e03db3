"""Tables read at numbers between 0 and 1, and Walsh series, as series of x - 1/2."""

import torch

from pytest_potmodels.lut.kernels.series import series


def multilinear(tables: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """The multilinear extension: sum_a T[w, a] prod_j (x_j if a_j else 1 - x_j).

    Shapes: tables (W, 2^n), inputs (W, n, B) -> (W, B). On bits it is the entry itself; where the
    inputs are probabilities of independent bits, it is the expected entry.
    """
    # t0 (1 - x) + t1 x = (t0 + t1) / 2 + (t1 - t0) (x - 1/2). The products of x - 1/2 are small
    # where their coefficients are large, by the same powers of two: nothing cancels.
    return series(_along_inputs(tables, [[0.5, 0.5], [-1.0, 1.0]]), inputs)


def walsh(coefficients: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """The Walsh series: sum_S c[w, S] prod_{j in S} (2 x_j - 1), S as a bit mask.

    Shapes: coefficients (W, 2^n), inputs (W, n, B) -> (W, B).
    """
    return series(_along_inputs(coefficients, [[1.0, 0.0], [0.0, 2.0]]), inputs)


def _along_inputs(tables: torch.Tensor, matrix: list[list[float]]) -> torch.Tensor:
    """Tables (W, 2^n) with a 2x2 matrix applied along each input."""
    width, entries = tables.shape
    inputs = entries.bit_length() - 1
    low, high = (_power(matrix, part, tables) for part in (inputs // 2, inputs - inputs // 2))
    square = tables.reshape(width, len(high), len(low))
    return (high @ (square @ low.T)).reshape(width, entries)


def _power(matrix: list[list[float]], inputs: int, like: torch.Tensor) -> torch.Tensor:
    """The matrix for several inputs at once."""
    power = like.new_ones(1, 1)
    for _ in range(inputs):
        power = torch.kron(like.new_tensor(matrix), power)
    return power
