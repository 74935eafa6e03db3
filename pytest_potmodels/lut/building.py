"""The parts of a network, made as its configuration says."""

from functools import partial
from typing import Any

import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.encoders import Encoder
from pytest_potmodels.lut.initializers import Fill
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.nodes import Initializer, Node
from pytest_potmodels.lut.registry import REGISTRY


def generator_of(config: ModelConfig, offset: int = 0) -> torch.Generator | None:
    """A generator that starts at the seed, plus `offset`; None where there is no seed."""
    seed = config.setting("seed")
    return None if seed is None else torch.Generator().manual_seed(seed + offset)


def new_encoder(config: ModelConfig, input_size: int) -> Encoder:
    """The encoder, not fitted."""
    said = {"num_bits": 1, **config.encoder_config}
    kind = REGISTRY.get_encoder(said.pop("name"))
    encoder: Encoder = kind(input_size, **said)
    return encoder


def new_layer(
    config: ModelConfig, features: int, width: int, index: int, *, layer_type: str = ""
) -> Layer:
    """A layer, freshly drawn; each index has a seed of its own.

    Args:
        config: says which kinds of nodes and layers, and how they start.
        features: the outputs before it.
        width: its LUTs.
        index: its place among the layers.
        layer_type: a kind of layer in place of the configuration's.
    """
    generator = generator_of(config, index)
    node: Node = REGISTRY.get_node(config.node_type)(
        width,
        config.node_input_dim,
        initializer=_initializer(config),
        generator=generator,
    )
    layer: Layer = REGISTRY.get_layer(layer_type or config.layer_type)(
        features, node, generator=generator
    )
    return layer


def _initializer(config: ModelConfig) -> Initializer | None:
    name, params = config.setting("init_fn"), config.setting("init_params")
    if name is None:
        return None
    return partial(_filled, name, dict(params))


def _filled(name: str, params: dict[str, Any], fill: Fill) -> torch.Tensor:
    function = REGISTRY.get_initializer(name)
    try:
        values: torch.Tensor = function(fill, **params)
    except LUTError:
        raise
    except (TypeError, ValueError, RuntimeError) as error:  # As torch and math refuse numbers.
        raise LUTError(f"init_fn {name} cannot take init_params {params!r}: {error}") from error
    return values
