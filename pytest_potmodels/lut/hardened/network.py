"""A hardened network: samples in, counts of the classes out, by numpy alone."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened import bit_rows, file_format, shape
from pytest_potmodels.lut.hardened.gathered import GatheredLayer
from pytest_potmodels.lut.hardened.layer import HardenedLayer, frozen
from pytest_potmodels.lut.hardened.packed import PackedLayer
from pytest_potmodels.lut.hardened.samples import Samples, samples_of
from pytest_potmodels.lut.new_file import write_new

Counts = np.ndarray[Any, np.dtype[np.int32]]

#: With more samples whole words are faster than an address for each LUT.
_FEW = 16
#: `load_hardened` takes what ends otherwise for a name.
_SUFFIX = ".safetensors"


@dataclass(frozen=True, eq=False, repr=False)
class HardenedNetwork:
    """A LUT network as a circuit of bits; all arrays are read-only copies.

    A feature f of a sample is above threshold k, strictly, or not: bit f b + k of the first layer's
    inputs. The last layer's outputs are counted in `num_classes` contiguous groups.

    Args:
        thresholds: (F, b) float32, finite.
        layers: from the input on.
        num_classes: C, at least 2; divides the last layer's width.
        output_tau: what `logits` divides the counts by.
        name: what the network is called; may be empty.

    Raises:
        LUTError: parts that do not fit each other.
    """

    thresholds: np.ndarray[Any, np.dtype[np.float32]]
    layers: tuple[HardenedLayer, ...]
    num_classes: int
    output_tau: float
    name: str = ""

    def __post_init__(self) -> None:
        shape.check(self)
        object.__setattr__(self, "thresholds", frozen(self.thresholds, np.float32))
        object.__setattr__(self, "layers", tuple(self.layers))
        object.__setattr__(self, "output_tau", float(self.output_tau))

    def __call__(self, x: Any) -> Counts:
        """Samples (N, F) -> counts (N, C): how many of each class's outputs are 1. N may be 0.

        Raises:
            LUTError: what `samples_of` refuses.
        """
        samples = samples_of(x, self.input_size)
        if len(samples) <= _FEW:
            return self._counts_of_few(samples)
        size = bit_rows.block_size(self.thresholds.size)
        blocks = (samples[start : start + size] for start in range(0, len(samples), size))
        return np.concatenate([self._counts_of_many(block) for block in blocks])

    def predict(self, x: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Samples (N, F) -> classes (N); of equal counts the first class wins.

        Raises:
            LUTError: what `samples_of` refuses.
        """
        classes: np.ndarray[Any, np.dtype[np.int64]] = self(x).argmax(axis=1)
        return classes

    def logits(self, x: Any) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Samples (N, F) -> counts / output_tau (N, C), as the torch network answers.

        Raises:
            LUTError: what `samples_of` refuses.
        """
        return self(x).astype(np.float32) / np.float32(self.output_tau)

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write a `.hard.safetensors` file, whole or not at all; the same network, the same bytes.

        Raises:
            LUTError: the file is there and `overwrite` is not said, it ends otherwise, or the disk
                does not take it.
        """
        if not str(path).endswith(_SUFFIX):
            raise LUTError(f"{path} does not end in {_SUFFIX}, by which files are known.")
        write_new(Path(path), self._content, overwrite=overwrite)

    @property
    def input_size(self) -> int:
        """F, the features of a sample."""
        return int(self.thresholds.shape[0])

    @property
    def lut_count(self) -> int:
        """The LUTs of all layers."""
        return sum(layer.width for layer in self.layers)

    @cached_property
    def digest(self) -> str:
        """The sha256 of the file that `save` writes."""
        return hashlib.sha256(self._content).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        # Without what was made of the arrays, which is larger than they are.
        parts = (self.thresholds, self.layers, self.num_classes, self.output_tau, self.name)
        return type(self), parts

    def __repr__(self) -> str:
        widths = ", ".join(str(layer.width) for layer in self.layers)
        called = f"{self.name!r}, " if self.name else ""
        ends = f"{self.input_size} features -> {self.num_classes} classes"
        return f"HardenedNetwork({called}{ends}, LUTs [{widths}], {self.digest[:8]})"

    @property
    def _content(self) -> bytes:
        header = file_format.Header(self.name, self.num_classes, self.output_tau)
        return file_format.to_bytes(file_format.Content(header, self.thresholds, self.layers))

    @cached_property
    def _packed(self) -> tuple[PackedLayer, ...]:
        return tuple(map(PackedLayer.of, self.layers))

    @cached_property
    def _gathered(self) -> tuple[GatheredLayer, ...]:
        return tuple(map(GatheredLayer.of, self.layers))

    def _counts_of_many(self, samples: Samples) -> Counts:
        rows = bit_rows.encoded(samples, self.thresholds)
        for layer in self._packed:
            rows = layer(rows)
        return bit_rows.group_counts(rows, self.num_classes, len(samples))

    def _counts_of_few(self, samples: Samples) -> Counts:
        above = samples[:, :, None] > self.thresholds
        bits = above.reshape(len(samples), self.thresholds.size).view(np.uint8)
        for layer in self._gathered:
            bits = layer(bits)
        width = self.layers[-1].width
        groups = bits.reshape(len(samples), self.num_classes, width // self.num_classes)
        counts: Counts = groups.sum(axis=2, dtype=np.int32)
        return counts
