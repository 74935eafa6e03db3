"""A small network on a few digits: trained in a blink."""

from collections.abc import Mapping
from typing import Any

from pytest_potmodels.lut import ModelConfig
from pytest_potmodels.lut.training.images import Dataset


def config(**changes: Any) -> ModelConfig:
    """20 LUTs on digits."""
    values: Mapping[str, Any] = {
        "model_type": "feedforward",
        "layer_type": "learnable",
        "node_type": "probabilistic",
        "encoder_config": {"name": "thermometer", "num_bits": 2, "feature_wise": False},
        "node_input_dim": 4,
        "layer_widths": [50],
        "num_classes": 10,
        "input_size": 64,
        "dataset": "digits",
        "pretrained_name": "mine",
    }
    return ModelConfig(**{**values, **changes})


def few(data: Dataset, count: int) -> Dataset:
    """A part of the images."""
    part = slice(0, count)
    return Dataset(data.name, data.shape, data.train[part], data.held_out[part])
