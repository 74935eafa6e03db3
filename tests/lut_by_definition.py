"""LUTs by their definitions, in float64 and plain loops: what the fast forms are compared with."""

from collections.abc import Callable, Sequence

import torch

Slow = Callable[[Sequence[float], Sequence[float]], float]


def corner(address: int, inputs: int) -> list[int]:
    """The bits of an address, input 0 the lowest."""
    return [address >> place & 1 for place in range(inputs)]


def extension(table: Sequence[float], inputs: Sequence[float]) -> float:
    """sum_a T_a prod_j (x_j if a_j else 1 - x_j)."""
    total = 0.0
    for address, entry in enumerate(table):
        chance = 1.0
        for x, bit in zip(inputs, corner(address, len(inputs)), strict=True):
            chance *= x if bit else 1 - x
        total += entry * chance
    return total


def walsh_sum(coefficients: Sequence[float], inputs: Sequence[float]) -> float:
    """sum_S c_S prod_{j in S} (2 x_j - 1)."""
    total = 0.0
    for chosen, coefficient in enumerate(coefficients):
        product = 1.0
        for x, bit in zip(inputs, corner(chosen, len(inputs)), strict=True):
            product *= 2 * x - 1 if bit else 1
        total += coefficient * product
    return total


def finite_difference(table: Sequence[float], address: int, along: int, inputs: int) -> float:
    """The extended finite difference of a table at an address, along one input.

    sum_k sgn(k) T_k alpha beta^d: sgn is + where bit `along` of k is 1, d counts the other bits in
    which k and the address differ, alpha = 0.75^(n - 1) / 2, beta = 1/3.
    """
    total = 0.0
    for other, entry in enumerate(table):
        distance = ((other ^ address) & ~(1 << along)).bit_count()
        sign = 1 if other >> along & 1 else -1
        total += sign * entry * 0.5 * 0.75 ** (inputs - 1) * (1 / 3) ** distance
    return total


def each(function: Slow, tables: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """A function of one table and one sample for tables (W, 2^n) and inputs (W, n, B): (W, B)."""
    rows = [
        [function(table.tolist(), sample.tolist()) for sample in samples.T]
        for table, samples in zip(tables, inputs, strict=True)
    ]
    return torch.tensor(rows, dtype=torch.float64)
