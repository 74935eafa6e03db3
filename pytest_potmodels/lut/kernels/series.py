"""Series of products of inputs, for many LUTs at once, forward and backward.

A product over n inputs is one over the lower half times one over the upper half. The 2^(n/2)
products of the lower half are made once; a batched matrix product takes them into the table; the
upper half is folded in, input by input. Few numbers per LUT and sample move, in place of 2^n * n,
and they do so in blocks that stay in the cache.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch.autograd.function import once_differentiable

from pytest_potmodels.lut.kernels.precision import full_precision

#: Numbers in each of the three large arrays of a block: 256 KB of float32.
_BLOCK = 65536
#: A step of a product or of a fold: the rows without an input, those with it, and the input.
_Step = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def series(coefficients: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
    """sum_S c[w, S] prod_{j in S} (x_j - 1/2), S as a bit mask.

    Shapes: coefficients (W, 2^n), inputs (W, n, B) -> (W, B). Differentiable once.
    """
    found: torch.Tensor = _Series.apply(coefficients, inputs)  # type: ignore[no-untyped-call]
    return found


class _Series(torch.autograd.Function):
    """The series; nothing is kept for backward but what it was given."""

    @staticmethod
    def forward(ctx: Any, coefficients: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(coefficients, inputs)
        outputs = inputs.new_empty(inputs.shape[0], inputs.shape[2])
        with full_precision(inputs):
            for rows, block in _blocks(inputs):
                block.read(coefficients[rows], inputs[rows])
                outputs[rows] = block.result
        return outputs

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        coefficients, inputs = ctx.saved_tensors
        for_coefficients = torch.empty_like(coefficients)
        for_inputs = torch.empty_like(inputs) if ctx.needs_input_grad[1] else None
        with full_precision(inputs):
            for rows, block in _blocks(inputs):
                block.read(coefficients[rows], inputs[rows])
                block.spread(grad[rows])
                for_coefficients[rows] = block.for_coefficients()
                if for_inputs is not None:
                    block.for_inputs(coefficients[rows], for_inputs[rows])
        return for_coefficients, for_inputs


@dataclass(frozen=True)
class _Block:
    """Room for some LUTs, written over and over: memory that is new costs more than the sums.

    Attributes:
        centred: x - 1/2, (k, n, B).
        low: the products of the lower half of the inputs, (k, 2^l, B), l = n // 2.
        sums: the table times `low`, (k, 2^(n - l), B), the upper half of the inputs folded in from
            the last: the result is in row 0, and rows 2^i to 2^(i+1) are what input l + i met.
        high: the gradient times the products of the upper half, shaped as `sums`.
    """

    centred: torch.Tensor
    low: torch.Tensor
    sums: torch.Tensor
    high: torch.Tensor

    @classmethod
    def beside(cls, inputs: torch.Tensor, rows: int) -> "_Block":
        """Room for so many of the LUTs with these inputs."""
        _, count, batch = inputs.shape
        below, above = 2 ** (count // 2), 2 ** (count - count // 2)
        room = (inputs.new_empty(rows, size, batch) for size in (count, below, above, above))
        block = cls(*room)
        block.low[:, 0] = 1
        return block

    @cached_property
    def result(self) -> torch.Tensor:
        """The series (k, B), after `read`."""
        return self.sums[:, 0]

    @cached_property
    def lower(self) -> list[_Step]:
        """The steps from 1 to the products of the lower half."""
        return _steps(self.low, self.centred[:, : self.centred.shape[1] // 2])

    @cached_property
    def folds(self) -> list[_Step]:
        """The steps of the upper half through the sums, from the first input."""
        return _steps(self.sums, self._upper)

    @cached_property
    def upper(self) -> list[_Step]:
        """The steps from the gradient to its products with the upper half."""
        return _steps(self.high, self._upper)

    def read(self, coefficients: torch.Tensor, inputs: torch.Tensor) -> None:
        """The series: coefficients (k, 2^n), inputs (k, n, B)."""
        torch.sub(inputs, 0.5, out=self.centred)
        for without, using, factor in self.lower:
            torch.mul(without, factor, out=using)
        torch.bmm(self._square(coefficients), self.low, out=self.sums)
        for without, using, factor in reversed(self.folds):
            without.addcmul_(using, factor)

    def spread(self, grad: torch.Tensor) -> None:
        """The gradient (k, B) on its way back to where the table was."""
        self.high[:, 0] = grad
        for without, using, factor in self.upper:
            torch.mul(without, factor, out=using)

    def for_coefficients(self) -> torch.Tensor:
        """The gradient of the coefficients (k, 2^n)."""
        return torch.bmm(self.high, self.low.transpose(1, 2)).flatten(1)

    def for_inputs(self, coefficients: torch.Tensor, into: torch.Tensor) -> None:
        """Write the gradient of the inputs (k, n, B)."""
        first = len(self.lower)
        for place, (fold, step) in enumerate(zip(self.folds, self.upper, strict=True)):
            torch.sum(fold[1].mul_(step[0]), 1, out=into[:, first + place])
        back = torch.bmm(self._square(coefficients).transpose(1, 2), self.high)
        steps = _steps(back, self.centred[:, :first])
        for place in reversed(range(first)):
            without, using, factor = steps[place]
            without.addcmul_(using, factor)
            torch.sum(using.mul_(self.lower[place][0]), 1, out=into[:, place])

    @property
    def _upper(self) -> torch.Tensor:
        return self.centred[:, self.centred.shape[1] // 2 :]

    def _square(self, coefficients: torch.Tensor) -> torch.Tensor:
        return coefficients.reshape(-1, self.sums.shape[1], self.low.shape[1])


def _blocks(inputs: torch.Tensor) -> Iterator[tuple[slice, _Block]]:
    """Which LUTs go together, and room for them."""
    width, count, batch = inputs.shape
    each = 2 ** (count - count // 2) * max(1, batch)
    size = max(1, min(width, _BLOCK // each))
    whole, rest = divmod(width, size)
    block = _Block.beside(inputs, size)
    for start in range(0, whole * size, size):
        yield slice(start, start + size), block
    if rest:
        yield slice(width - rest, width), _Block.beside(inputs, rest)


def _steps(rows: torch.Tensor, factors: torch.Tensor) -> list[_Step]:
    """Rows 2^i to 2^(i+1) are those before them, times factor i."""
    sizes = [(2**place, factors[:, place, None]) for place in range(factors.shape[1])]
    return [(rows[:, :size], rows[:, size : 2 * size], factor) for size, factor in sizes]
