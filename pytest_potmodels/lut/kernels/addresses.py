"""Bits as addresses of table entries, and the entries at them."""

import torch

#: Addresses of so many inputs fit a byte.
_BYTE = 8


def corners(inputs: int) -> torch.Tensor:
    """The bits of all addresses: (2^n, n), float32; row a is a in binary, lowest first."""
    addresses = torch.arange(2**inputs)[:, None]
    return (addresses >> torch.arange(inputs) & 1).float()


def packed(bits: torch.Tensor) -> torch.Tensor:
    """Addresses (W, B) of uint8 bits (W, n, B): uint8 up to 8 inputs, int32 beyond."""
    kind = torch.uint8 if bits.shape[1] <= _BYTE else torch.int32
    address = bits[:, 0].to(kind)
    for place in range(1, bits.shape[1]):
        address = address | (bits[:, place].to(kind) << place)
    return address


def looked_up(tables: torch.Tensor, addresses: torch.Tensor) -> torch.Tensor:
    """The entry of each row at its addresses: (W, 2^n), (W, B) -> (W, B), in the table's dtype."""
    rows = torch.arange(len(tables), dtype=torch.int32, device=tables.device) * tables.shape[1]
    flat = (addresses.to(torch.int32) + rows[:, None]).flatten()
    return tables.reshape(-1).index_select(0, flat).view(addresses.shape)
