"""The file of a hardened network: safetensors, a format number, and nothing that is trusted.

    thresholds          (F, b)              float32
    layers.0.mapping    (W, n)              the smallest of uint8, uint16, uint32 that holds it
    layers.0.tables     (W, max(1, 2^n/8))  uint8, lowest bit first
    layers.1.mapping    ...

The metadata is one JSON text under one key, because safetensors writes several in no fixed order.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened.layer import HardenedLayer

FORMAT = 1
#: The one key of the metadata.
KEY = "potmodels.lut.hardened"


@dataclass(frozen=True)
class Header:
    """What is no array."""

    name: str
    num_classes: int
    output_tau: float


@dataclass(frozen=True, eq=False)
class Content:
    """All that a file holds."""

    header: Header
    thresholds: np.ndarray[Any, Any]
    layers: tuple[HardenedLayer, ...]


def to_bytes(content: Content) -> bytes:
    """The file; the same content gives the same bytes."""
    tensors = {"thresholds": content.thresholds}
    for place, layer in enumerate(content.layers):
        tensors[f"layers.{place}.mapping"] = _narrow(layer.mapping)
        tensors[f"layers.{place}.tables"] = layer.tables
    said = {
        "format": FORMAT,
        "layers": len(content.layers),
        "name": content.header.name,
        "num_classes": content.header.num_classes,
        "output_tau": content.header.output_tau,
    }
    text = json.dumps(said, separators=(",", ":"))
    written: bytes = safetensors.numpy.save(tensors, {KEY: text})
    return written


def _narrow(mapping: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return mapping.astype(np.min_scalar_type(int(mapping.max())))


def header_of(metadata: Mapping[str, str] | None) -> tuple[Header, int]:
    """What the metadata of a file says, and how many layers there are.

    Raises:
        LUTError: it is not what this version writes.
    """
    said = _read(metadata)
    if (number := said.get("format")) != FORMAT or isinstance(number, bool):
        raise LUTError(
            f"the format is {number!r}, this version reads {FORMAT}.",
            remedy="pip install --upgrade pytest-potmodels",
        )
    kinds = {"format": int, "layers": int, "name": str, "num_classes": int, "output_tau": float}
    if set(said) != set(kinds):
        raise LUTError(f"the metadata has {sorted(said)}, expected {sorted(kinds)}.")
    for key, kind in kinds.items():
        if type(said[key]) is not kind:
            raise LUTError(f"the metadata says {key} {said[key]!r}, expected {kind.__name__}.")
    header = Header(said["name"], said["num_classes"], said["output_tau"])
    return header, said["layers"]


def _read(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    if not metadata or set(metadata) != {KEY}:
        raise LUTError(
            f"the metadata has {sorted(metadata or ())}, expected {KEY!r} alone: this is no "
            "hardened network.",
            remedy="harden the network: harden(model).save(PATH)",
        )
    try:
        said = json.loads(metadata[KEY])
    except (ValueError, RecursionError) as error:
        raise LUTError(f"the metadata is no JSON: {error}") from error
    if not isinstance(said, dict):
        raise LUTError(f"the metadata is a {type(said).__name__}, expected a JSON object.")
    return said
