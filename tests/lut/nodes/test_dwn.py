"""DWN nodes: bits forward, the extended finite difference backward."""

import pytest
import torch
from lut_by_definition import finite_difference

from pytest_potmodels.lut.kernels import multilinear
from pytest_potmodels.lut.nodes.dwn import DWNNode, DWNStableNode, finite_differences


def made(width: int = 3, inputs: int = 4) -> DWNNode:
    return DWNNode(width, inputs, generator=torch.Generator().manual_seed(2))


def samples(width: int = 3, inputs: int = 4, batch: int = 7) -> torch.Tensor:
    return torch.rand(width, inputs, batch, generator=torch.Generator().manual_seed(3))


def addresses_of(values: torch.Tensor) -> list[list[int]]:
    """Address of each LUT and sample: a bit is x > 0.5."""
    return [
        [sum(int(x > 0.5) << place for place, x in enumerate(sample.tolist())) for sample in lut.T]
        for lut in values
    ]


def test_forward_is_the_bit_at_the_address_of_the_rounded_inputs() -> None:
    node, values = made(), samples()
    answers = node.soft(values, 1.0)
    table = node.logits.tolist()
    expected = [[float(table[w][a] > 0) for a in row] for w, row in enumerate(addresses_of(values))]
    assert answers.tolist() == expected
    assert torch.equal(answers, node.soft(values, 0.01))
    with torch.no_grad():
        assert torch.equal(answers, node.soft(values, 1.0))


def test_one_half_is_a_0() -> None:
    node = made(1, 1)
    with torch.no_grad():
        node.logits.copy_(torch.tensor([[-1.0, 1.0]]))
    assert node.soft(torch.tensor([[[0.0, 0.5, 0.51, 1.0]]]), 1.0).tolist() == [[0, 0, 1, 1]]


@pytest.mark.parametrize("inputs", [1, 2, 4, 6])
def test_the_differences_are_those_of_the_definition(inputs: int) -> None:
    source = torch.Generator().manual_seed(inputs)
    tables = torch.rand(2, 2**inputs, generator=source, dtype=torch.float64) * 2 - 1
    expected = [
        [
            [finite_difference(table, address, along, inputs) for address in range(2**inputs)]
            for along in range(inputs)
        ]
        for table in tables.tolist()
    ]
    torch.testing.assert_close(
        finite_differences(tables), torch.tensor(expected, dtype=torch.float64)
    )


def test_the_gradient_of_an_input_is_the_difference_at_its_address() -> None:
    node, values = made(), samples().requires_grad_()
    weight = torch.linspace(-1, 1, 21).view(3, 7)
    (node.soft(values, 1.0) * weight).sum().backward()  # type: ignore[no-untyped-call]
    assert values.grad is not None
    table, addresses = node.logits.tolist(), addresses_of(values.detach())
    for row in range(3):
        for along in range(4):
            expected = [
                weight[row, at].item() * finite_difference(table[row], address, along, 4)
                for at, address in enumerate(addresses[row])
            ]
            assert values.grad[row, along].tolist() == pytest.approx(expected, abs=1e-6)


def test_it_is_the_gradient_of_the_extension_half_way_to_the_middle() -> None:
    node, values = made(), samples().round().requires_grad_()
    node.soft(values, 1.0).sum().backward()  # type: ignore[no-untyped-call]
    moved = values.detach().clone().requires_grad_()
    multilinear(node.logits.detach(), 0.25 + 0.5 * moved).sum().backward()  # type: ignore[no-untyped-call]
    torch.testing.assert_close(values.grad, moved.grad, rtol=1e-5, atol=1e-6)


def test_the_gradient_of_a_table_goes_to_the_entries_that_were_addressed() -> None:
    node, values = made(), samples()
    weight = torch.linspace(-1, 1, 21).view(3, 7)
    (node.soft(values, 1.0) * weight).sum().backward()  # type: ignore[no-untyped-call]
    expected = torch.zeros(3, 16)
    for row, addresses in enumerate(addresses_of(values)):
        for at, address in enumerate(addresses):
            expected[row, address] += weight[row, at]
    torch.testing.assert_close(node.logits.grad, expected)


def test_clamping_keeps_the_table_between_minus_1_and_1_and_its_bits() -> None:
    node = made()
    with torch.no_grad():
        node.logits.mul_(3)
    bits = node.table()
    node.clamp()
    assert node.logits.abs().max() == 1
    assert torch.equal(node.table(), bits)


def test_the_stable_kind_scales_input_gradients_and_nothing_else() -> None:
    gradients = []
    for kind, scale in ((DWNNode, 1.0), (DWNStableNode, 0.25)):
        node = kind(3, 4, generator=torch.Generator().manual_seed(2))
        node.configure({"gradient_scale": scale}.__getitem__)
        values = samples().requires_grad_()
        node.soft(values, 1.0).sum().backward()  # type: ignore[no-untyped-call]
        gradients.append((values.grad, node.logits.grad))
    (inputs, table), (scaled, same) = gradients
    assert inputs is not None
    torch.testing.assert_close(scaled, inputs * 0.25)
    assert table is not None
    assert same is not None
    assert torch.equal(table, same)


@pytest.mark.parametrize("inputs", [9, 10])
def test_many_inputs_have_the_differences_of_the_definition(inputs: int) -> None:
    table = torch.rand(1, 2**inputs, generator=torch.Generator().manual_seed(1)) * 2 - 1
    found = finite_differences(table)[0]
    for address in (0, 2**inputs - 1, 2**inputs // 3):
        for along in range(inputs):
            expected = finite_difference(table[0].tolist(), address, along, inputs)
            assert found[along, address].item() == pytest.approx(expected, abs=1e-5)


def test_twelve_inputs_go_back_to_all_of_them() -> None:
    node = DWNNode(2, 12, generator=torch.Generator().manual_seed(2))
    values = torch.rand(2, 12, 5, generator=torch.Generator().manual_seed(3)).requires_grad_()
    node.soft(values, 1.0).sum().backward()  # type: ignore[no-untyped-call]
    expected = finite_differences(node.logits.detach())
    for row, addresses in enumerate(addresses_of(values.detach())):
        for at, address in enumerate(addresses):
            assert values.grad is not None
            assert torch.equal(values.grad[row, :, at], expected[row, :, address])
