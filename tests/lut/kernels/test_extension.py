"""The fast sums give what the definitions give, and so do their gradients."""

from collections.abc import Callable

import pytest
import torch
from lut_by_definition import Slow, each, extension, walsh_sum

from pytest_potmodels.lut.kernels import corners, multilinear, walsh

Form = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
FORMS: list[tuple[Form, Slow]] = [(multilinear, extension), (walsh, walsh_sum)]


def drawn(width: int, inputs: int, batch: int) -> tuple[torch.Tensor, torch.Tensor]:
    source = torch.Generator().manual_seed(inputs)
    kind = torch.float64
    tables = torch.rand(width, 2**inputs, generator=source, dtype=kind)
    return tables, torch.rand(width, inputs, batch, generator=source, dtype=kind)


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 5, 6, 7])
@pytest.mark.parametrize(("fast", "slow"), FORMS)
def test_a_sum_is_the_one_of_its_definition(fast: Form, slow: Slow, inputs: int) -> None:
    tables, values = drawn(3, inputs, 4)
    expected = each(slow, tables, values)
    torch.testing.assert_close(fast(tables, values), expected, rtol=1e-13, atol=1e-13)
    single, largest = fast(tables.float(), values.float()), float(expected.abs().max())
    torch.testing.assert_close(single, expected.float(), rtol=0, atol=5e-6 * largest)


@pytest.mark.parametrize("inputs", [1, 2, 5])
@pytest.mark.parametrize("fast", [multilinear, walsh])
def test_gradients_are_those_of_numerical_differences(fast: Form, inputs: int) -> None:
    tables, values = (tensor.requires_grad_() for tensor in drawn(2, inputs, 3))
    assert torch.autograd.gradcheck(fast, (tables, values))


@pytest.mark.parametrize("width", [1, 2, 7])
def test_blocks_change_nothing(width: int) -> None:
    # Many samples: few LUTs fit into a block, and the last block is a short one.
    batch = 4096
    tables, values = (tensor.float().requires_grad_() for tensor in drawn(width, 4, batch))
    together = multilinear(tables, values)
    alone = torch.cat([multilinear(tables[i : i + 1], values[i : i + 1]) for i in range(width)])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-6)
    weight = torch.linspace(-1, 1, batch)
    found = torch.autograd.grad((together * weight).sum(), [tables, values])
    expected = torch.autograd.grad((alone * weight).sum(), [tables, values])
    for mine, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-5, atol=1e-4)


def test_on_bits_the_extension_is_the_entry() -> None:
    tables, _ = drawn(3, 6, 1)
    bits = corners(6).T.expand(3, 6, 64)
    torch.testing.assert_close(multilinear(tables.float(), bits), tables.float(), atol=1e-6, rtol=0)


def test_no_samples_give_no_outputs_and_no_gradient() -> None:
    tables, values = drawn(3, 4, 0)
    outputs = multilinear(tables.requires_grad_(), values)
    assert outputs.shape == (3, 0)
    outputs.sum().backward()  # type: ignore[no-untyped-call]
    assert tables.grad is not None
    assert torch.equal(tables.grad, torch.zeros(3, 16))


def test_inputs_stay_as_they_are() -> None:
    tables, values = drawn(4, 6, 9)
    before = tables.clone(), values.clone()
    outputs = multilinear(tables.requires_grad_(), values.requires_grad_())
    outputs.sum().backward()  # type: ignore[no-untyped-call]
    assert torch.equal(tables, before[0])
    assert torch.equal(values, before[1])
