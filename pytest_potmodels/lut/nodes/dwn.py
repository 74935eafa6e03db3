"""LUTs of a differentiable weightless network: bits forward, finite differences backward.

Bacellar et al., "Differentiable Weightless Neural Networks", ICML 2024 (arXiv 2410.11112).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, cast

import torch
from torch import nn

from pytest_potmodels.lut.initializers import Fill, uniform
from pytest_potmodels.lut.kernels import full_precision, looked_up, packed
from pytest_potmodels.lut.nodes.base import Initializer, Node, Reader

#: Up to so many inputs one product with a 2^n x 2^n matrix is the fastest; 12 would take 64 MB.
_SMALL = 8
_NEAR = ((0.75, 0.25), (0.25, 0.75))
_APART = ((-0.5, -0.5), (0.5, 0.5))


class DWNNode(Node):
    """Forward: the bit [L > 0] at the address of the bits [x > 0.5]; L lies in [-1, 1].

    One half, as dropout leaves it, is a 0 here.

    Backward: the extended finite difference for the inputs; the gradient of a table goes to the
    entry that was addressed. The temperature has no part in it.
    """

    logits: nn.Parameter
    gradient_scale = 1.0

    def initialize(
        self, initializer: Initializer | None, generator: torch.Generator | None
    ) -> None:
        """Make the table (W, 2^n)."""
        fill = Fill((self.width, 2**self.inputs), self.inputs, generator)
        self.logits = nn.Parameter((initializer or uniform)(fill))

    def reader(self, temperature: float) -> Reader:  # noqa: ARG002 - of other kinds.
        """Look bits up; differentiable by finite differences."""
        found = partial(_Bits.apply, self.logits, self.gradient_scale)
        return cast(Reader, found)

    def scores(self) -> torch.Tensor:
        """The table."""
        return self.logits

    def probabilities(self, temperature: float) -> torch.Tensor:  # noqa: ARG002 - as above.
        """(1 + L) / 2: what a value in [-1, 1] says as a probability."""
        return (1 + self.logits.clamp(-1, 1)) / 2

    def clamp(self) -> None:
        """Keep the table in [-1, 1]."""
        with torch.no_grad():
            self.logits.clamp_(-1, 1)


class DWNStableNode(DWNNode):
    """The same with input gradients times a constant: the runtime key `gradient_scale`."""

    def configure(self, setting: Callable[[str], Any]) -> None:
        """Take the constant."""
        self.gradient_scale = float(setting("gradient_scale"))


def finite_differences(tables: torch.Tensor) -> torch.Tensor:
    """The input gradient of each LUT at each address: tables (W, 2^n) -> (W, n, 2^n).

    The extended finite difference weighs the entries k by a (1/3)^d, a = 0.75^(n-1) / 2, where d
    counts the other inputs in which k and the address differ. That is half the derivative of the
    multilinear extension at 0.25 + 0.5 x: a product of one 2x2 matrix per input.
    """
    return torch.stack(list(_along_each(tables)), dim=1)


def _along_each(tables: torch.Tensor) -> Iterator[torch.Tensor]:
    """The same, one input after the other: (W, 2^n) each."""
    inputs = tables.shape[1].bit_length() - 1
    if inputs <= _SMALL:
        for each in range(inputs):
            yield tables @ _grid(inputs, each, tables)
        return
    low = inputs // 2
    square = tables.reshape(len(tables), -1, 2**low)
    beside = square @ _grid(low, None, tables)
    above = _grid(inputs - low, None, tables).T
    for each in range(inputs):
        if each < low:
            grid = above @ (square @ _grid(low, each, tables))
        else:
            grid = _grid(inputs - low, each - low, tables).T @ beside
        yield grid.flatten(1)


def _grid(inputs: int, differing: int | None, like: torch.Tensor) -> torch.Tensor:
    """What each entry counts at each address: (2^inputs, 2^inputs)."""
    near, apart = like.new_tensor(_NEAR), like.new_tensor(_APART)
    grid = like.new_ones(1, 1)
    for each in range(inputs):  # The last input is the highest bit: the outermost factor.
        grid = torch.kron(apart if each == differing else near, grid)
    return grid


def _gradient(
    tables: torch.Tensor, scale: float, index: torch.Tensor, grad: torch.Tensor
) -> torch.Tensor:
    """The gradient of the inputs (W, n, B), for addresses and a gradient of outputs (W, B)."""
    if tables.shape[1] > 2**_SMALL:  # All differences at once would take n times the memory.
        found = [(each * scale).gather(1, index).mul_(grad) for each in _along_each(tables)]
        return torch.stack(found, dim=1)
    differences = finite_differences(tables) * scale
    spread = index[:, None].expand(-1, differences.shape[1], -1)
    return differences.gather(2, spread).mul_(grad[:, None])


class _Bits(torch.autograd.Function):
    """The entry's bit forward; finite differences and the straight-through entry backward."""

    @staticmethod
    def forward(ctx: Any, tables: torch.Tensor, scale: float, inputs: torch.Tensor) -> torch.Tensor:
        addresses = packed((inputs > 0.5).to(torch.uint8))  # noqa: PLR2004 - between the bits.
        ctx.save_for_backward(tables, addresses)
        ctx.scale = scale
        return looked_up((tables > 0).to(inputs.dtype), addresses)

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        (grad,) = grads
        tables, addresses = ctx.saved_tensors
        index = addresses.long()
        for_inputs = for_tables = None
        if ctx.needs_input_grad[0]:
            for_tables = torch.zeros_like(tables).scatter_add_(1, index, grad)
        if ctx.needs_input_grad[2]:
            with full_precision(tables):
                for_inputs = _gradient(tables, ctx.scale, index, grad)
        return for_tables, None, for_inputs
