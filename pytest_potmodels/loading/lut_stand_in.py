"""The stand-in of LUT networks: the shape and interface of digits_small, tables that mean nothing.

Drawn from a seed of its own by a hash function: the same bits in every process, and no PyTorch.
"""

import hashlib
import math

import numpy as np

from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.hardened import HardenedLayer, HardenedNetwork

#: Of a pixel in the digits that the stand-in is fed.
_BRIGHTEST = 16.0
_LAYER = "layers.0"


def state(config: ModelConfig, seed: int) -> dict[str, np.ndarray]:
    """All tensors of the stand-in by name: thresholds (F, b), mapping (W, n), logits (W, 2^n)."""
    features, bits = config.input_size or 0, int(config.encoder_config["num_bits"])
    width, inputs = config.layer_widths[0], config.node_input_dim
    steps = np.arange(1, bits + 1, dtype=np.float32) * np.float32(_BRIGHTEST / (bits + 1))
    places = _drawn("mapping", seed, (width, inputs), np.dtype("<u4"))
    scores = _drawn("logits", seed, (width, 2**inputs), np.dtype("i1"))
    return {
        "encoder.thresholds": np.tile(steps, (features, 1)),
        f"{_LAYER}.mapping": (places % (features * bits)).astype(np.int32),
        f"{_LAYER}.node.logits": (scores + np.float32(0.5)) / np.float32(64),
    }


def hardened(config: ModelConfig, seed: int) -> HardenedNetwork:
    """The stand-in as bits."""
    drawn = state(config, seed)
    layer = HardenedLayer.from_bits(drawn[f"{_LAYER}.mapping"], drawn[f"{_LAYER}.node.logits"] > 0)
    return HardenedNetwork(
        drawn["encoder.thresholds"], (layer,), config.num_classes, config.output_tau, "stand-in"
    )


def _drawn(
    what: str, seed: int, shape: tuple[int, ...], dtype: "np.dtype[np.generic]"
) -> np.ndarray:
    size = math.prod(shape) * dtype.itemsize
    drawn = hashlib.shake_256(f"pytest-potmodels {what} {seed}".encode()).digest(size)
    return np.frombuffer(drawn, dtype).reshape(shape)
