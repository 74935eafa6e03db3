"""A hardened LUT network beside a torch gather of the same tables, on one core.

Two layers of 1000 LUTs of 6 inputs over 256 input bits, 4096 samples. Stock is the plain way in
torch, at its best: int64 bits with the batch last, an address per LUT, a gather of its table, in
chunks of the batch that stay in the cache. Processor time; both must give the same bits.
"""

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime
import safetensors.numpy
import torch
from figures import Figure, of_pairs, table

from pytest_potmodels.lut.hardened import HardenedLayer, HardenedNetwork
from pytest_potmodels.lut.hardened.bit_rows import encoded, spread
from pytest_potmodels.lut.hardened.onnx_graph import model_of

FEATURES, LEVELS, WIDTHS, CLASSES, INPUTS = 64, 4, (1000, 1000), 10, 6
BATCH = 4096
#: Columns at a time; the fastest of them counts.
CHUNKS = (64, 128, 256)
ROUNDS, REPEATED = 7, 5
GOAL, STRETCH = 1 / 30, 1 / 40
#: Of the file of a network with 500 LUTs.
LARGEST_KB = 12
BESIDE = "torch gather"


def figures() -> list[Figure]:
    """The layers alone, the whole network, one sample, and ONNX Runtime."""
    torch.set_num_threads(1)
    network = drawn()
    samples = np.random.default_rng(1).integers(0, 17, (BATCH, FEATURES)).astype(np.float32)
    same(network, samples)
    name = f"hard LUTs {list(WIDTHS)}"
    return [
        layers_alone(f"{name}, {BATCH} samples", network, samples),
        whole(f"{name} with encoder and counts", network, samples),
        whole(f"{name} with encoder and counts, 1 sample", network, samples[:1]),
        in_onnx(f"{name} in ONNX Runtime, 256 samples", network, samples[:256]),
        on_disk("hard LUTs [500], file"),
    ]


def drawn(widths: Sequence[int] = WIDTHS) -> HardenedNetwork:
    """A network of random thresholds, connections and tables."""
    draw = np.random.default_rng(0)
    below, layers = FEATURES * LEVELS, []
    for width in widths:
        mapping = draw.integers(0, below, (width, INPUTS))
        layers.append(HardenedLayer.from_bits(mapping, draw.integers(0, 2, (width, 2**INPUTS))))
        below = width
    thresholds = draw.uniform(0, 16, (FEATURES, LEVELS)).astype(np.float32)
    return HardenedNetwork(thresholds, tuple(layers), CLASSES, 10.0)


def layers_alone(name: str, network: HardenedNetwork, samples: Any) -> Figure:
    """From input bits to output bits, each way in its own form of them."""
    stock, rows = Stock(network), encoded(samples, network.thresholds)
    bits = stock.encoded(torch.from_numpy(samples))
    pairs = [
        (stock.fastest(partial(stock.forward, bits)), milliseconds(partial(ours, network, rows)))
        for _ in range(ROUNDS)
    ]
    return of_pairs(name, pairs, "ms", GOAL, stretch=STRETCH, beside=BESIDE)


def whole(name: str, network: HardenedNetwork, samples: Any) -> Figure:
    """From samples to counts."""
    stock, tensor = Stock(network), torch.from_numpy(samples)
    pairs = [
        (stock.fastest(partial(stock.counts, tensor)), milliseconds(partial(network, samples)))
        for _ in range(ROUNDS)
    ]
    return of_pairs(name, pairs, "ms", None, beside=BESIDE)


def in_onnx(name: str, network: HardenedNetwork, samples: Any) -> Figure:
    """From samples to counts by the ONNX form."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    data = model_of(network).SerializeToString()
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    stock, tensor = Stock(network), torch.from_numpy(samples)
    action = partial(session.run, ["counts"], {"x": samples})
    pairs = [
        (stock.fastest(partial(stock.counts, tensor)), milliseconds(action)) for _ in range(ROUNDS)
    ]
    return of_pairs(name, pairs, "ms", None, beside=BESIDE)


def on_disk(name: str) -> Figure:
    """The file of a network for small images, beside its trained float32 scores."""
    (layer,) = (network := drawn([500])).layers
    trained = {
        "thresholds": network.thresholds,
        "mapping": layer.mapping,
        "logits": np.zeros((layer.width, 2**INPUTS), np.float32),
    }
    stock = len(safetensors.numpy.save(trained)) / 1000
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.hard.safetensors"
        network.save(file)
        size = file.stat().st_size / 1000
    return Figure(name, stock, size, "KB", LARGEST_KB / stock, beside="float32 weights")


def ours(network: HardenedNetwork, rows: Any) -> Any:
    """The packed layers."""
    for layer in network._packed:  # noqa: SLF001 - what stands between encoder and counts
        rows = layer(rows)
    return rows


class Stock:
    """The same network in torch, by an address for each LUT."""

    def __init__(self, network: HardenedNetwork) -> None:
        self._thresholds = torch.from_numpy(network.thresholds.copy())[:, :, None]
        self._layers = [
            (list(torch.from_numpy(each.mapping.T.astype(np.int64))), of_bits(each.bits))
            for each in network.layers
        ]

    def encoded(self, samples: torch.Tensor) -> torch.Tensor:
        """Samples (N, F) -> bits (F b, N), int64."""
        return (samples.T[:, None, :] > self._thresholds).flatten(0, 1).long()

    def forward(self, bits: torch.Tensor, chunk: int) -> torch.Tensor:
        """Bits (F b, N) -> bits (W, N)."""
        starts = range(0, bits.shape[1], chunk)
        return torch.cat([self._part(bits[:, at : at + chunk]) for at in starts], dim=1)

    def counts(self, samples: torch.Tensor, chunk: int) -> torch.Tensor:
        """Samples (N, F) -> counts (N, C)."""
        bits = self.forward(self.encoded(samples), chunk)
        return bits.view(CLASSES, -1, len(samples)).sum(1).T

    def fastest(self, action: Callable[[int], object]) -> float:
        """Milliseconds with the best of the chunks."""
        return min(milliseconds(partial(action, chunk)) for chunk in CHUNKS)

    def _part(self, bits: torch.Tensor) -> torch.Tensor:
        for indices, tables in self._layers:
            address = bits[indices[0]]
            for place, index in enumerate(indices[1:], start=1):
                address.add_(bits[index], alpha=2**place)
            bits = tables.gather(1, address)
        return bits


def of_bits(bits: Any) -> torch.Tensor:
    """Tables (W, 2^n), int64."""
    return torch.from_numpy(bits.astype(np.int64))


def same(network: HardenedNetwork, samples: Any) -> None:
    """Refuse to measure what is not the same computation."""
    stock = Stock(network)
    expected = stock.forward(stock.encoded(torch.from_numpy(samples)), CHUNKS[0]).numpy()
    found = spread(ours(network, encoded(samples, network.thresholds)), len(samples))
    counts = stock.counts(torch.from_numpy(samples), CHUNKS[0]).numpy()
    if not (np.array_equal(found, expected) and np.array_equal(network(samples), counts)):
        raise SystemExit("the two ways differ")


def milliseconds(action: Callable[[], object]) -> float:
    """Processor time of a call, the least of some."""
    taken = []
    for _ in range(REPEATED):
        started = time.process_time()
        action()
        taken.append(time.process_time() - started)
    return 1000 * min(taken)


def main() -> None:
    """Measure and print."""
    found = figures()
    print(table(found))
    fastest = BATCH / found[0].ours / 1000
    print(f"{fastest:.2f} million samples a second, {1 / found[0].ratio:.0f} times {BESIDE}")


if __name__ == "__main__":
    main()
