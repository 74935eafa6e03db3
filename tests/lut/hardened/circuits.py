"""Random circuits, and what they compute by the definition: one sample, LUT and bit at a time."""

from typing import Any

import numpy as np

from pytest_potmodels.lut.hardened import HardenedLayer, HardenedNetwork


def circuit(
    inputs: int,
    widths: tuple[int, ...],
    *,
    features: int = 6,
    bits: int = 3,
    classes: int = 2,
    seed: int = 0,
) -> HardenedNetwork:
    """Random thresholds, connections and tables; `inputs` of every LUT."""
    draw = np.random.default_rng(seed)
    below, layers = features * bits, []
    for width in widths:
        mapping = draw.integers(0, below, (width, inputs))
        layers.append(HardenedLayer.from_bits(mapping, draw.integers(0, 2, (width, 2**inputs))))
        below = width
    thresholds = draw.integers(0, 8, (features, bits)).astype(np.float32)
    return HardenedNetwork(thresholds, tuple(layers), classes, output_tau=1.7, name="random")


def samples(network: HardenedNetwork, count: int, seed: int = 1) -> Any:
    """Samples many of whose values are thresholds exactly."""
    draw = np.random.default_rng(seed)
    return draw.integers(-1, 9, (count, network.input_size)).astype(np.float32)


def by_definition(network: HardenedNetwork, sample: Any) -> list[int]:
    """The counts of one sample, in plain Python."""
    bits = [int(x > t) for x, row in zip(sample, network.thresholds, strict=True) for t in row]
    for layer in network.layers:
        bits = [
            _looked_up(table.tolist(), [bits[at] for at in row.tolist()])
            for row, table in zip(layer.mapping, layer.tables, strict=True)
        ]
    size = len(bits) // network.num_classes
    return [sum(bits[at * size : (at + 1) * size]) for at in range(network.num_classes)]


def _looked_up(table: list[int], bits: list[int]) -> int:
    address = sum(bit << place for place, bit in enumerate(bits))
    return table[address // 8] >> address % 8 & 1
