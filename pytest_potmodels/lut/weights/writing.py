"""Write a file of weights: plain tensors, the structure they belong to, whole or not at all."""

import hashlib
import io
import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import torch as safetensors

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.new_file import write_new
from pytest_potmodels.lut.weights.reading import FORMAT, METADATA, SUFFIXES, check_suffix


def write_weights(
    path: Path,
    tensors: Mapping[str, torch.Tensor],
    config: ModelConfig,
    *,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> str:
    """Write tensors, and return the sha256 of the file.

    Args:
        path: ends in `.safetensors` or `.pth`; the latter holds no structure.
        tensors: by name, as `state_for_files` gives them.
        config: what they belong to.
        dtype: of scores in the file, `torch.float16` for half the size; none: as they are.
        overwrite: whether a file that is there is replaced.

    Raises:
        LUTError: the encoder was never fitted, a value is not finite, a bit would change in
            `dtype`, or the file is there.
    """
    check_suffix(path)
    ready = {name: _ready(name, tensor, dtype) for name, tensor in sorted(tensors.items())}
    data = _safetensors(ready, config) if path.suffix == SUFFIXES[0] else _pth(ready)
    write_new(path, data, overwrite=overwrite)
    return hashlib.sha256(data).hexdigest()


def _ready(name: str, tensor: torch.Tensor, dtype: torch.dtype | None) -> torch.Tensor:
    own = tensor.detach().cpu().contiguous().clone()
    if not own.is_floating_point():
        return own
    if not bool(own.isfinite().all()):
        if name.startswith("encoder."):
            raise LUTError(
                "the encoder is not fitted: it has no thresholds to save",
                remedy="call model.fit_encoder(train_x) first",
            )
        raise LUTError(f"{name} has values that are not finite.", remedy="train with a lower lr")
    # Thresholds are compared with data: half of their digits would move the border.
    return own if dtype is None or name.startswith("encoder.") else _as(name, own, dtype)


def _as(name: str, tensor: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    fewer = tensor.to(dtype)
    changed = (fewer > 0) != (tensor > 0)
    if bool(changed.any()) or not bool(fewer.isfinite().all()):
        raise LUTError(
            f"{name} cannot be written as {dtype}: {int(changed.sum())} values would be zero, or "
            "they are too large.",
            remedy="write it as torch.float32",
        )
    return fewer


def _safetensors(tensors: dict[str, torch.Tensor], config: ModelConfig) -> bytes:
    said = {"format": FORMAT, "config_sha256": config.sha256(), "config": config.structure()}
    metadata = {METADATA: json.dumps(said, sort_keys=True)}
    return safetensors.save(tensors, metadata)


def _pth(tensors: dict[str, torch.Tensor]) -> bytes:
    buffer = io.BytesIO()
    torch.save(tensors, buffer)
    return buffer.getvalue()
