"""A hardened network out of a file; every part is checked before it is used."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, deserialize

from pytest_potmodels.errors import LUTDigestError, LUTError
from pytest_potmodels.lut.hardened.file_format import header_of
from pytest_potmodels.lut.hardened.layer import HardenedLayer
from pytest_potmodels.lut.hardened.network import HardenedNetwork

_INDEX_TYPES = {"U8": "u1", "U16": "<u2", "U32": "<u4"}
#: Of a safetensors file: the length of its header.
_LENGTH_BYTES = 8
#: Names that a message shows.
_SHOWN = 5


def read(path: Path, expected: str | None = None) -> HardenedNetwork:
    """The network in a `.hard.safetensors` file; `expected` is the sha256 its bytes must have.

    Raises:
        LUTError: no such file, damaged, of another format, or no network; with the path.
        LUTDigestError: other bytes; none of them was parsed.
    """
    try:
        if not path.is_file():
            raise LUTError(f"There is no hardened network {path}.", remedy="check the path")
        data = path.read_bytes()
    except OSError as error:
        raise LUTError(f"{path} cannot be read: {error.strerror or error}.") from error
    _check_digest(path, hashlib.sha256(data).hexdigest(), expected)
    try:
        return _network(data)
    except SafetensorError as error:
        remedy = "restore the file, or harden the network again"
        raise LUTError(f"{path} is no valid safetensors file: {error}.", remedy=remedy) from error
    except LUTError as error:
        raise LUTError(f"{path}: {error.message}", remedy=error.remedy) from error


def _check_digest(path: Path, found: str, expected: str | None) -> None:
    if expected is not None and found != expected:
        raise LUTDigestError(
            f"{path} does not match its config (sha256 {found}, expected {expected}).",
            expected=expected,
            found=found,
            remedy="restore the file, or harden the network again",
        )


def _network(data: bytes) -> HardenedNetwork:
    tensors = dict(deserialize(data))  # type: ignore[no-untyped-call]
    # Refuses sizes that are not those of the file.
    header, layers = header_of(_metadata(data))
    _check_names(set(tensors), layers)
    return HardenedNetwork(
        thresholds=_array(tensors, "thresholds", {"F32": "<f4"}),
        layers=tuple(_layer(tensors, place) for place in range(layers)),
        num_classes=header.num_classes,
        output_tau=header.output_tau,
        name=header.name,
    )


def _metadata(data: bytes) -> Mapping[str, str]:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    said: Mapping[str, Mapping[str, str]] = json.loads(data[_LENGTH_BYTES:][:length])
    return said.get("__metadata__", {})


def _check_names(found: set[str], layers: int) -> None:
    # Before anything is made of `layers`, which may say any number.
    if 2 * layers + 1 != len(found):
        raise LUTError(
            f"{layers} layers take {2 * layers + 1} tensors, and there are {len(found)}."
        )
    parts = ("mapping", "tables")
    expected = {"thresholds", *(f"layers.{i}.{part}" for i in range(layers) for part in parts)}
    if strange := sorted(found - expected):
        raise LUTError(f"there are tensors that no network has: {', '.join(strange[:_SHOWN])}.")


def _layer(tensors: Mapping[str, Any], place: int) -> HardenedLayer:
    name = f"layers.{place}"
    mapping = _array(tensors, f"{name}.mapping", _INDEX_TYPES)
    tables = _array(tensors, f"{name}.tables", {"U8": "u1"})
    try:
        return HardenedLayer(mapping, tables)
    except LUTError as error:
        raise LUTError(f"{name}: {error.message}", remedy=error.remedy) from error


def _array(
    tensors: Mapping[str, Any], name: str, kinds: Mapping[str, str]
) -> np.ndarray[Any, np.dtype[Any]]:
    tensor = tensors[name]
    if tensor["dtype"] not in kinds:
        raise LUTError(f"{name} is {tensor['dtype']}, expected {' or '.join(kinds)}.")
    array = np.frombuffer(tensor["data"], kinds[tensor["dtype"]])
    return array.reshape(tensor["shape"])
