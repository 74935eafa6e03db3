"""Layers evaluated on whole words: each operation serves 64 samples.

A LUT of n inputs is a polynomial over its inputs x_2 ... x_(n-1) whose coefficients are functions
of x_0 and x_1, with XOR as its sum and AND as its product (positive Davio expansion, the
Reed-Muller form). There are 16 functions of two inputs. Each LUT computes all of them once, its
2^(n-2) coefficients are rows gathered from those 16, and Horner's scheme takes two operations for
each: lower ^= upper & x.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

from pytest_potmodels.lut.hardened.bit_rows import Words
from pytest_potmodels.lut.hardened.layer import HardenedLayer

Indices = np.ndarray[Any, np.dtype[np.intp]]

_FUNCTIONS = 16
#: The numbers of x_0 and x_1 among them.
_FIRST, _SECOND = 0b1010, 0b1100
#: Bytes of the rows that a chunk of LUTs works on: what second-level caches hold.
_CHUNK_BYTES = 5 << 18


@dataclass(frozen=True, eq=False)
class PackedLayer:
    """A layer as words are computed with it.

    Args:
        inputs: (n, W), n >= 2: the rows that each LUT reads.
        coefficients: (2^(n-2), W): which function of x_0 and x_1 stands at each product of the
            upper inputs; bit a of its number is its value at x_0 + 2 x_1 = a.
    """

    inputs: Indices
    coefficients: Indices

    @classmethod
    def of(cls, layer: HardenedLayer) -> "PackedLayer":
        """The form of a layer; a LUT of one input gets a second, which it ignores."""
        mapping, bits = layer.mapping, layer.bits
        if layer.inputs == 1:
            mapping, bits = np.repeat(mapping, 2, axis=1), np.tile(bits, (1, 2))
        lowest = bits.reshape(layer.width, -1, 4) @ np.array([1, 2, 4, 8], np.uint8)
        return cls(_by_input(mapping), _by_input(_reed_muller(lowest)))

    def __call__(self, rows: Words) -> Words:
        """Input rows (bits, words) -> output rows (W, words)."""
        width, words = self.inputs.shape[1], rows.shape[1]
        size = min(width, self._chunk(words))
        shelf = _Shelf(self, size, words)
        result = np.empty((width, words), np.uint64)
        for start in range(0, width, size):
            part = slice(start, min(start + size, width))
            shelf.evaluate(rows, part, result[part])
        return result

    def _chunk(self, words: int) -> int:
        rows = _FUNCTIONS + len(self.coefficients) + len(self.inputs) - 2
        return max(1, _CHUNK_BYTES // (8 * rows * words))


class _Shelf:
    """The rows that a chunk of a layer's LUTs works on, made once for all chunks."""

    def __init__(self, layer: PackedLayer, size: int, words: int) -> None:
        self._layer = layer
        self._words = words
        self._functions = np.empty(_FUNCTIONS * size * words, np.uint64)
        self._coefficients = np.empty(len(layer.coefficients) * size * words, np.uint64)
        self._upper = np.empty((len(layer.inputs) - 2) * size * words, np.uint64)

    def evaluate(self, rows: Words, part: slice, result: Words) -> None:
        """Write the outputs of some LUTs (k, words)."""
        inputs = self._layer.inputs[:, part]
        count = inputs.shape[1]
        functions = self._rows(self._functions, _FUNCTIONS, count)
        # What mode="raise" would check, the network checked; and it would copy once more.
        np.take(rows, inputs[0], axis=0, out=functions[_FIRST], mode="clip")
        np.take(rows, inputs[1], axis=0, out=functions[_SECOND], mode="clip")
        _fill(functions)
        upper = self._rows(self._upper, len(inputs) - 2, count)
        np.take(rows, inputs[2:], axis=0, out=upper, mode="clip")
        chosen = self._layer.coefficients[:, part] * count + np.arange(count)
        terms = self._rows(self._coefficients, len(chosen), count)
        np.take(functions.reshape(-1, self._words), chosen, axis=0, out=terms, mode="clip")
        _horner(terms, upper, result)

    def _rows(self, flat: Words, first: int, count: int) -> Words:
        return flat[: first * count * self._words].reshape(first, count, self._words)


def _fill(functions: Words) -> None:
    """All functions of two inputs (16, k, words), given the two inputs themselves among them."""
    first, second = functions[_FIRST], functions[_SECOND]
    functions[0] = 0
    np.bitwise_and(first, second, out=functions[8])
    np.bitwise_or(first, second, out=functions[14])
    np.bitwise_xor(first, second, out=functions[6])
    np.bitwise_xor(first, functions[8], out=functions[2])
    np.bitwise_xor(second, functions[8], out=functions[4])
    for number in (0, 2, 4, 6, 8, _FIRST, _SECOND, 14):
        np.invert(functions[number], out=functions[15 - number])


def _horner(terms: Words, inputs: Words, result: Words) -> None:
    """Polynomials from their coefficients (2^m, k, words) and inputs (m, k, words)."""
    for row in inputs[::-1]:
        half = len(terms) // 2
        upper, terms = terms[half:], terms[:half]
        upper &= row
        terms ^= upper
    result[...] = terms[0]


def _by_input(array: np.ndarray[Any, Any]) -> Indices:
    return np.ascontiguousarray(array.T, dtype=np.intp)


def _reed_muller(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The values (W, 2^k) of a function of k inputs -> the coefficients of its polynomial."""
    found = values.copy()
    step = 1
    while step < found.shape[1]:
        pairs = found.reshape(len(found), -1, 2, step)
        pairs[:, :, 1] ^= pairs[:, :, 0]
        step *= 2
    return found
