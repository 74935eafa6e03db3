"""Bits of many samples, 64 in a word: a row of words per bit of the network.

Which sample is which bit of a word does not matter to any operation on whole words, so the order
of bytes in a word is the machine's.
"""

from typing import Any

import numpy as np

Words = np.ndarray[Any, np.dtype[np.uint64]]

#: Samples in a word.
SAMPLES = 64
_BYTE = 8
#: Bytes for the encoded bits of a block of samples, before they are packed.
_BLOCK_BYTES = 1 << 24
#: Samples of a block: with more, a layer's rows leave the second-level cache.
_BLOCK = 4096


def block_size(bits: int) -> int:
    """How many samples to evaluate at a time, where one is encoded to so many bits."""
    return max(SAMPLES, min(_BLOCK, _BLOCK_BYTES // bits // SAMPLES * SAMPLES))


def encoded(samples: np.ndarray[Any, Any], thresholds: np.ndarray[Any, Any]) -> Words:
    """Samples (N, F) above thresholds (F, b), strictly: rows (F b, N / 64 rounded up)."""
    columns = _by_feature(samples)
    above = columns[:, None, :] > thresholds[:, :, None]
    return np.packbits(above.reshape(thresholds.size, -1), axis=1).view(np.uint64)


def _by_feature(samples: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Samples (N, F) transposed and filled up to whole words: (F, M)."""
    count, features = samples.shape
    words = -(-count // SAMPLES)
    if count != words * SAMPLES:
        filled = np.zeros((words * SAMPLES, features), samples.dtype)
        filled[:count] = samples
        samples = filled
    # In blocks: columns that lie a power of two apart would push each other out of the cache.
    blocks = samples.reshape(words, SAMPLES, features).swapaxes(1, 2).copy()
    return blocks.swapaxes(0, 1).reshape(features, words * SAMPLES)


def spread(rows: Words, count: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """The bits of rows (..., words) one a byte: (..., count)."""
    return np.unpackbits(rows.view(np.uint8), axis=-1, count=count)


def group_counts(rows: Words, groups: int, count: int) -> np.ndarray[Any, np.dtype[np.int32]]:
    """How many rows of each contiguous group have a 1, per sample: (count, groups)."""
    planes = _planes(rows.reshape(groups, len(rows) // groups, rows.shape[1]))
    totals = np.zeros((groups, count), np.int32)
    for start in range(0, len(planes), _BYTE):
        digits = spread(np.stack(planes[start : start + _BYTE]), count)
        total = digits[-1]
        for digit in digits[-2::-1]:
            total += total  # A shift takes ten times as long.
            total |= digit
        totals += total.astype(np.int32) << start
    return np.ascontiguousarray(totals.T)


def _planes(rows: Words) -> list[Words]:
    """The sums over axis 1 in binary digits, lowest first, by carry-save adders."""
    planes = []
    while rows.shape[1]:
        carries = []
        while rows.shape[1] > 1:
            rows, carried = _added(rows)
            carries.append(carried)
        planes.append(np.ascontiguousarray(rows[:, 0]))
        rows = np.concatenate(carries, axis=1) if carries else rows[:, :0]
    return planes


def _added(rows: Words) -> tuple[Words, Words]:
    """Three rows become a sum and a carry, two where there are no three; the rest stays."""
    third = rows.shape[1] // 3
    if not third:
        a, b = rows[:, :1], rows[:, 1:]
        return a ^ b, a & b
    a, b, c = (rows[:, start * third : (start + 1) * third] for start in range(3))
    total = a ^ b
    carry = total & c
    carry |= a & b
    total ^= c
    return np.concatenate((total, rows[:, 3 * third :]), axis=1), carry
