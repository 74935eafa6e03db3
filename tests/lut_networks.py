"""Small LUT networks for tests: 8 features, 2 bits each, layers of 12 and 6 tables, 3 classes."""

from typing import Any

import torch

from pytest_potmodels.lut import ModelConfig, SimpleFeedForward

#: The configuration that describes what a YAML file looks like.
SEED = """\
# Structural parameters
model_type: feedforward
layer_type: random
node_type: probabilistic
encoder_config:
  name: thermometer
  num_bits: 4
  feature_wise: true
node_input_dim: 6
layer_widths: [1024, 1000]
num_classes: 10
input_size: 784
dataset: mnist

# Runtime parameters
runtime:
  temperature: 1.0
  eval_mode: expectation
  init_fn: xavier_uniform
  regularizers:
    entropy: {weight: 0.001}
    clarity: {weight: 0.0001}

# Pretrained info
pretrained: true
pretrained_name: mnist_large
"""
SMALL: dict[str, Any] = {
    "model_type": "feedforward",
    "layer_type": "random",
    "node_type": "probabilistic",
    "encoder_config": {"name": "thermometer", "num_bits": 2},
    "node_input_dim": 3,
    "layer_widths": [12, 6],
    "num_classes": 3,
    "runtime": {"seed": 0},
}


def config(**changes: Any) -> ModelConfig:
    """A small network's configuration, with some fields changed."""
    return ModelConfig(**{**SMALL, **changes})


def samples(count: int = 20, features: int = 8, seed: int = 0) -> torch.Tensor:
    """Numbers from 0 to 16."""
    return torch.rand(count, features, generator=torch.Generator().manual_seed(seed)) * 16


def fitted(**changes: Any) -> SimpleFeedForward:
    """A small network whose encoder has seen samples; in eval mode."""
    model = SimpleFeedForward(config(**changes))
    model.fit_encoder(samples())
    model.eval()
    return model
