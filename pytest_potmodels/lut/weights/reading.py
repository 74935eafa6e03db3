"""Read a file of weights: bytes once, their digest, and plain tensors; nothing is unpickled."""

import hashlib
import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors import torch as safetensors

from pytest_potmodels.errors import LUTDigestError, LUTError

#: The one key of the metadata: several would come in any order, and change the file's digest.
METADATA = "potmodels_lut"
#: Of the file. A reader takes its own and older ones.
FORMAT = 1
SUFFIXES = (".safetensors", ".pth")
_HARDENED = ".hard.safetensors"
_REFUSED = re.compile(r"GLOBAL ([\w.]+)")
#: Of a safetensors file: the length of its header.
_LENGTH_BYTES = 8


@dataclass(frozen=True)
class Weights:
    """What a file holds: tensors by name, and the structure they belong to, if it says so."""

    path: Path
    tensors: Mapping[str, torch.Tensor]
    structure: Mapping[str, Any] | None = None


def check_suffix(path: Path) -> None:
    """Accept a name for a file of weights.

    Raises:
        LUTError: it ends otherwise.
    """
    if path.name.endswith(_HARDENED):
        raise LUTError(
            f"{path} is the name of a hardened network, which has no weights.",
            remedy="load_hardened(path), and harden(model).save(path)",
        )
    if path.suffix not in SUFFIXES:
        raise LUTError(
            f"{path} ends in {path.suffix or 'nothing'}; weights end in {' or '.join(SUFFIXES)}.",
            remedy=str(path.with_suffix(SUFFIXES[0])) if path.name else "",
        )


def read_weights(path: Path, expected: str | None = None) -> Weights:
    """Read a file; `expected` is the sha256 that its bytes must have.

    Raises:
        LUTError: no such file, damaged, of a later format, or with anything but plain tensors.
        LUTDigestError: other bytes; none of them was parsed.
    """
    check_suffix(path)
    data = _bytes(path)
    found = hashlib.sha256(data).hexdigest()
    if expected is not None and found != expected:
        raise LUTDigestError(
            f"weights file {path} does not match its config (sha256 {found}, expected {expected}).",
            expected=expected,
            found=found,
            remedy="restore the file, or train again",
        )
    if path.suffix == SUFFIXES[0]:
        return Weights(path, _tensors(path, data), _structure(path, data))
    return Weights(path, _of_pth(path, data))


def _bytes(path: Path) -> bytes:
    try:
        if path.is_file():
            return path.read_bytes()
    except OSError as error:
        raise LUTError(f"{path} cannot be read: {error.strerror or error}.") from error
    raise LUTError(f"There is no file of weights {path}.", remedy="check the path")


def _tensors(path: Path, data: bytes) -> Mapping[str, torch.Tensor]:
    try:
        return safetensors.load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise LUTError(f"{path} is no valid safetensors file: {error}.") from error


def _structure(path: Path, data: bytes) -> Mapping[str, Any] | None:
    length = int.from_bytes(data[:_LENGTH_BYTES], "little")
    header = json.loads(data[_LENGTH_BYTES : _LENGTH_BYTES + length])
    text = header.get("__metadata__", {}).get(METADATA)
    if text is None:
        return None
    try:
        said = json.loads(text)
        version, structure = int(said["format"]), dict(said["config"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise LUTError(f"{path} has metadata that cannot be read: {text[:80]!r}.") from error
    if version > FORMAT:
        raise LUTError(
            f"{path} has format {version}, of a later version; this one reads {FORMAT}.",
            remedy="pip install --upgrade pytest-potmodels",
        )
    return structure


def _of_pth(path: Path, data: bytes) -> Mapping[str, torch.Tensor]:
    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # whatever torch raises at bytes that are no weights
        raise _refusal(path, error) from error
    if not isinstance(state, dict):
        raise LUTError(f"{path} holds {type(state).__name__}, expected tensors by name.")
    for name, tensor in state.items():
        plain = isinstance(tensor, torch.Tensor) and tensor.layout == torch.strided
        if not (isinstance(name, str) and plain and tensor.device.type == "cpu"):
            raise LUTError(f"{path} holds {name!r}, which is no plain tensor.")
    return {name: tensor.detach() for name, tensor in state.items()}


def _refusal(path: Path, error: Exception) -> LUTError:
    found = _REFUSED.search(str(error))
    if found is None:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        # torch advises to read such files without a guard.
        why = "it holds more than plain tensors" if "weights_only" in first else first
        return LUTError(f"{path} is no valid file of weights: {why}.")
    return LUTError(
        f"{path} needs unpickling of {found[1]}; refused (weights_only).",
        remedy="convert it to safetensors where it comes from",
    )
