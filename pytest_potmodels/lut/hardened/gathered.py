"""Layers evaluated by an address for each LUT: the way for a few samples."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_potmodels.lut.hardened.layer import HardenedLayer

Bits = np.ndarray[Any, np.dtype[np.uint8]]

_BYTE = 8


@dataclass(frozen=True, eq=False)
class GatheredLayer:
    """A layer as addresses are computed with it.

    Args:
        inputs: (W, n): the bits that each LUT reads.
        places: (n): 2^j, what input j adds to an address; of a type that holds all addresses.
        starts: (W): where the table of each LUT begins in `bits`.
        bits: (W 2^n): all tables, one bit a byte.
    """

    inputs: np.ndarray[Any, np.dtype[np.intp]]
    places: np.ndarray[Any, np.dtype[Any]]
    starts: np.ndarray[Any, np.dtype[np.intp]]
    bits: Bits

    @classmethod
    def of(cls, layer: HardenedLayer) -> "GatheredLayer":
        """The form of a layer."""
        kind = np.uint8 if layer.inputs <= _BYTE else np.uint16
        places = (1 << np.arange(layer.inputs)).astype(kind)
        starts = np.arange(layer.width, dtype=np.intp) << layer.inputs
        return cls(layer.mapping.astype(np.intp), places, starts, layer.bits.ravel())

    def __call__(self, bits: Bits) -> Bits:
        """Input bits (N, inputs) -> output bits (N, W), one a byte."""
        addresses = np.take(bits, self.inputs, axis=1) @ self.places
        found: Bits = np.take(self.bits, self.starts + addresses)
        return found
