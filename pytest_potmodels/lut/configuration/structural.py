"""The structural fields: what the weights fix, and what each may be, alone and together."""

import math
from collections.abc import Mapping
from typing import Any

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration.registered import check_name, is_ours
from pytest_potmodels.lut.configuration.rules import (
    SWITCH,
    TABLE,
    TEXT,
    Rule,
    Where,
    check,
    nowhere,
    one_of,
    optional,
    several,
    whole,
)

#: A table has 2^n entries.
_MOST_INPUTS = 12
#: Entries of a layer's tables, and thresholds: 4 GB of float32.
_MOST_ENTRIES = 10**9
#: Entries of the matrix that a learnable mapping is while it trains: 400 MB of float32.
_MOST_CONNECTIONS = 10**8

STRUCTURAL: Mapping[str, Rule] = {
    "model_type": TEXT,
    "layer_type": TEXT,
    "node_type": TEXT,
    "encoder_config": TABLE,
    "node_input_dim": whole(1, _MOST_INPUTS),
    "layer_widths": several(whole(1), "a list of whole numbers of at least 1"),
    "num_classes": whole(2),
    "input_size": optional(whole(1)),
    "conv_input_shape": optional(
        Rule(
            "three whole numbers: channels, height, width",
            lambda value: several(whole(1), "").fits(value) and len(value) == 3,  # noqa: PLR2004
        )
    ),
    "conv_kernel_size": whole(1),
    "conv_stride": whole(1),
    "conv_padding": whole(0),
    "conv_tree_depth": whole(1, 4),
    "conv_pooling": one_of("average", "or"),
}
#: What `encoder_config` may hold; an encoder of the user's own may take more.
ENCODER: Mapping[str, Rule] = {"name": TEXT, "num_bits": whole(1, 256), "feature_wise": SWITCH}
ENCODER_DEFAULTS: Mapping[str, Any] = {"num_bits": 1, "feature_wise": True}

_KINDS = {"model_type": "model", "layer_type": "layer", "node_type": "node"}


def check_structure(values: Mapping[str, Any], where: Where = nowhere) -> None:
    """Accept the structural values of a network.

    Raises:
        LUTError: a value that a field cannot have, or that does not go with another.
        LUTNameError: an unknown model, layer, node or encoder; with close matches.
    """
    for key, rule in STRUCTURAL.items():
        check(rule, key, values[key], where)
    for key, kind in _KINDS.items():
        check_name(kind, key, values[key], where)
    _check_encoder(values["encoder_config"], where)
    _check_classes(values, where)
    _check_image(values, where)
    _check_sizes(values, where)
    _check_connections(values, where)


def structure_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The structural values that have a meaning together, with the encoder's defaults."""
    idle = "conv_" if values["conv_input_shape"] is None else "none"
    found = {key: values[key] for key in STRUCTURAL if not key.startswith(idle)}
    encoder = values["encoder_config"]
    whole = {"name": encoder.get("name"), **ENCODER_DEFAULTS, **encoder}
    return {**found, "encoder_config": whole}


def differing_fields(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Fields of two structures that differ; an input size that is not known differs from none."""
    keys = [key for key in {**one, **other} if one.get(key) != other.get(key)]
    known = None not in (one.get("input_size"), other.get("input_size"))
    return [key for key in keys if known or key != "input_size"]


def _check_encoder(encoder: Mapping[str, Any], where: Where) -> None:
    if "name" not in encoder:
        raise LUTError(
            f"{where('encoder_config')}encoder_config has no name.",
            remedy="encoder_config: {name: thermometer, num_bits: 4}",
        )
    name = encoder["name"]
    check_name("encoder", "encoder_config.name", name, where)
    for key, value in encoder.items():
        if key in ENCODER:
            check(ENCODER[key], f"encoder_config.{key}", value, where)
        elif is_ours("encoder", name):
            raise LUTNameError(
                "key of encoder_config",
                key,
                ENCODER,
                where=where("encoder_config").removesuffix(": "),
                remedy=f"keys: {', '.join(ENCODER)}",
            )


def _check_classes(values: Mapping[str, Any], where: Where) -> None:
    width, classes = values["layer_widths"][-1], values["num_classes"]
    if width % classes:
        raise LUTError(
            f"{where('layer_widths')}the last of layer_widths must be a multiple of num_classes, "
            f"got {width} % {classes} != 0.",
            remedy=f"use {math.ceil(width / classes) * classes}",
        )


def _check_image(values: Mapping[str, Any], where: Where) -> None:
    shape, size = values["conv_input_shape"], values["input_size"]
    if values["model_type"] == "convnet" and shape is None:
        raise LUTError(
            f"{where('model_type')}a convnet needs conv_input_shape.",
            remedy="conv_input_shape: [channels, height, width]",
        )
    if shape is not None and size is not None and math.prod(shape) != size:
        raise LUTError(
            f"{where('conv_input_shape')}conv_input_shape {list(shape)} has {math.prod(shape)} "
            f"values, and input_size is {size}."
        )


def _check_sizes(values: Mapping[str, Any], where: Where) -> None:
    bits = values["encoder_config"].get("num_bits", 1)
    sizes = {
        "layer_widths": max(values["layer_widths"]) * 2 ** values["node_input_dim"],
        "input_size": (values["input_size"] or 0) * (bits if isinstance(bits, int) else 1),
    }
    for key, entries in sizes.items():
        if entries > _MOST_ENTRIES:
            raise LUTError(
                f"{where(key)}{key} {values[key]!r} would take {entries * 4 / 1e9:.0f} GB; at most "
                f"{_MOST_ENTRIES} entries are built.",
                remedy="fewer, or a smaller node_input_dim or num_bits",
            )


def _check_connections(values: Mapping[str, Any], where: Where) -> None:
    size, bits = values["input_size"], values["encoder_config"].get("num_bits", 1)
    if values["layer_type"] != "learnable" or size is None:
        return
    inputs = size * bits
    for index, width in enumerate(values["layer_widths"]):
        entries = inputs * width * values["node_input_dim"]
        if entries > _MOST_CONNECTIONS:
            raise LUTError(
                f"{where('layer_widths')}layer {index} would learn its connections in a matrix of "
                f"{inputs} x {width * values['node_input_dim']} ({entries * 4 / 1e9:.1f} GB); "
                f"at most {_MOST_CONNECTIONS} entries are built.",
                remedy="layer_type: random, a narrower layer, or fewer bits",
            )
        inputs = width
