"""One layer of a hardened network: which bits each LUT reads, and its table, eight bits a byte."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from pytest_potmodels.errors import LUTError

#: Inputs of a LUT; its table has 2 to that power bits.
MOST_INPUTS = 12
#: A bit of a network is addressed by an int32, here and in ONNX.
MOST_BITS = 2**31 - 1


@dataclass(frozen=True, eq=False, repr=False)
class HardenedLayer:
    """W LUTs of n inputs each; both arrays become read-only copies.

    Args:
        mapping: (W, n) integers: which bits of the layer below each LUT reads.
        tables: (W, max(1, 2^n / 8)) uint8, lowest bit first: bit a of a row is what the LUT
            answers at the address a = sum over j of x_j 2^j. Bits beyond 2^n are 0.

    Raises:
        LUTError: arrays that are no such layer.
    """

    mapping: np.ndarray[Any, np.dtype[np.int32]]
    tables: np.ndarray[Any, np.dtype[np.uint8]]

    def __post_init__(self) -> None:
        _check_mapping(np.asarray(self.mapping))
        _check_tables(np.asarray(self.tables), *np.shape(self.mapping))
        object.__setattr__(self, "mapping", frozen(self.mapping, np.int32))
        object.__setattr__(self, "tables", frozen(self.tables, np.uint8))

    @classmethod
    def from_bits(cls, mapping: Any, bits: Any) -> "HardenedLayer":
        """The layer whose tables are given as bits.

        Args:
            mapping: (W, n) integers.
            bits: (W, 2^n), true where the answer at that address is 1.

        Raises:
            LUTError: arrays that are no such layer.
        """
        mapping, rows = np.asarray(mapping), np.asarray(bits)
        _check_mapping(mapping)
        expected = (mapping.shape[0], 2 ** mapping.shape[1])
        if rows.shape != expected:
            raise LUTError(f"the tables' bits are of shape {rows.shape}, expected {expected}.")
        return cls(mapping, np.packbits(rows.astype(bool), axis=1, bitorder="little"))

    @property
    def width(self) -> int:
        """W, the LUTs."""
        return int(self.mapping.shape[0])

    @property
    def inputs(self) -> int:
        """n, the inputs of each LUT."""
        return int(self.mapping.shape[1])

    @cached_property
    def bits(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """The tables one bit a byte: (W, 2^n) of 0 and 1."""
        spread = np.unpackbits(self.tables, axis=1, count=2**self.inputs, bitorder="little")
        spread.flags.writeable = False
        return spread

    def __reduce__(self) -> tuple[Any, ...]:
        # Copies and pickles are checked and read-only as well.
        return type(self), (self.mapping, self.tables)

    def __repr__(self) -> str:
        return f"HardenedLayer({self.width} LUTs of {self.inputs} inputs)"


def frozen(array: Any, dtype: Any) -> Any:
    """A contiguous copy that nobody can write to."""
    copied = np.array(array, dtype=dtype, order="C")
    copied.flags.writeable = False
    return copied


def _check_mapping(mapping: np.ndarray[Any, Any]) -> None:
    if mapping.dtype.kind not in "iu" or mapping.ndim != len("Wn") or not mapping.shape[0]:
        raise LUTError(
            f"mapping is {mapping.dtype} of shape {mapping.shape}, expected integers (W, n)."
        )
    if not 1 <= mapping.shape[1] <= MOST_INPUTS:
        raise LUTError(f"LUTs of {mapping.shape[1]} inputs; they can have 1 to {MOST_INPUTS}.")
    if mapping.min() < 0 or mapping.max() > MOST_BITS:
        least, most = mapping.min(), mapping.max()
        raise LUTError(f"mapping has indices {least} to {most}; they begin at 0 and are int32.")


def _check_tables(tables: np.ndarray[Any, Any], width: int, inputs: int) -> None:
    expected = (width, max(1, 2**inputs // 8))
    if tables.dtype != np.uint8 or tables.shape != expected:
        raise LUTError(
            f"tables is {tables.dtype} of shape {tables.shape}, expected uint8 {expected}: "
            f"{2**inputs} bits a LUT."
        )
    if inputs < 3 and tables.max() >> 2**inputs:  # noqa: PLR2004 - 2^3 bits fill a byte
        raise LUTError(f"tables has bits beyond the {2**inputs} of a LUT of {inputs} inputs.")
