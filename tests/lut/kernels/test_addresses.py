"""Bits are addresses with input 0 as the lowest bit, and addresses find entries."""

import pytest
import torch
from lut_by_definition import corner

from pytest_potmodels.lut.kernels import corners, looked_up, packed


@pytest.mark.parametrize("inputs", [1, 3, 6, 8, 9, 12])
def test_the_corners_are_all_addresses_in_order(inputs: int) -> None:
    expected = [corner(address, inputs) for address in range(2**inputs)]
    assert corners(inputs).int().tolist() == expected
    bits = corners(inputs).T.to(torch.uint8).expand(2, -1, -1)
    assert packed(bits).tolist() == [list(range(2**inputs))] * 2


@pytest.mark.parametrize("inputs", [2, 9])
def test_each_row_finds_entries_of_its_own(inputs: int) -> None:
    source = torch.Generator().manual_seed(0)
    tables = torch.rand(3, 2**inputs, generator=source)
    bits = torch.randint(0, 2, (3, inputs, 5), generator=source, dtype=torch.uint8)
    addresses = packed(bits)
    expected = [
        [tables[row, int(at)].item() for at in addresses[row]] for row in range(len(tables))
    ]
    assert looked_up(tables, addresses).tolist() == expected
