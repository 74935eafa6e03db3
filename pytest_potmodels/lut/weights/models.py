"""Weights of a model to a file and from one, together with the YAML beside it."""

from pathlib import Path
from typing import Any

import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.new_file import refuse_existing
from pytest_potmodels.lut.weights import circuit, pairing
from pytest_potmodels.lut.weights.checking import check_weights, state_for_files
from pytest_potmodels.lut.weights.reading import SUFFIXES, Weights, check_suffix, read_weights
from pytest_potmodels.lut.weights.subject import Subject
from pytest_potmodels.lut.weights.writing import write_weights

_THRESHOLDS = "encoder.thresholds"
#: A file without a row of thresholds per feature may say so many, and no more.
_MOST_FEATURES = 10**7


def save(
    model: Subject,
    path: Path,
    *,
    dtype: torch.dtype | None = None,
    overwrite: bool = False,
) -> str:
    """Write a model's weights, and their digest into the YAML beside; returns the sha256.

    Raises:
        LUTError: the encoder is not fitted, the file is there and `overwrite` is not said, or
            the YAML beside it is of another network, or the hardened form of other weights.
    """
    check_suffix(path)
    refuse_existing(path, overwrite=overwrite)
    document = pairing.document_beside(path, model.config)
    state = state_for_files(model)
    bits = circuit.to_replace(model, path, overwrite=overwrite)
    # At every moment the files that are there go together, whoever is killed.
    with pairing.released(document), circuit.replaced(circuit.of(path), bits):
        sha256 = write_weights(path, state, model.config, dtype=dtype, overwrite=overwrite)
    if document is not None:
        pairing.record(document, path, sha256)
    return sha256


def save_config(model: Subject, path: Path, *, overwrite: bool = False) -> None:
    """Write a model's configuration, with the digest of its weights if they lie beside.

    Raises:
        LUTError: the file is there, and `overwrite` is not said.
    """
    extras: dict[str, Any] = {}
    changes: dict[str, Any] = {}
    for weights in (path.with_suffix(suffix) for suffix in SUFFIXES):
        if weights.is_file() and not extras and _fits(model, weights):
            extras = {"weights": pairing.entry(weights)}
            changes = {"pretrained": True, "pretrained_name": path.stem}
    model.config.copy(**changes).to_yaml(path, extras=extras, overwrite=overwrite)


def load(model: Subject, path: Path, expected: str | None = None) -> None:
    """Take the weights in a file: all of them, or none.

    Args:
        model: one whose tensors need not be there yet, if nobody said its input size.
        path: of the file.
        expected: the sha256 it must have; none: what the YAML beside it says, if it does.

    Raises:
        LUTError: no such file, or one that does not fit; the model is as it was.
        LUTDigestError: the file has other bytes.
    """
    weights = read_weights(path, expected or pairing.expected_sha256(path))
    if model.encoder is not None:
        check_weights(model, model.config.structure(), weights)
        model.load_state_dict(dict(weights.tensors))
        return
    config = model.config.copy(input_size=_input_size(model, weights))
    whole = type(model)(config)
    check_weights(whole, config.structure(), weights)
    whole.load_state_dict(dict(weights.tensors))
    model.config = config
    for name, module in whole.named_children():
        setattr(model, name, module)


def _fits(model: Subject, path: Path) -> bool:
    try:
        check_weights(model, model.config.structure(), read_weights(path))
    except LUTError:
        return False
    return True


def _input_size(model: Subject, weights: Weights) -> int:
    thresholds = weights.tensors.get(_THRESHOLDS)
    own_rows = model.config.encoder_config.get("feature_wise", True)
    # The rows are there; a number in the metadata may be any, and is built before it is checked.
    if thresholds is not None and thresholds.dim() and own_rows:
        return len(thresholds)
    said = None if weights.structure is None else weights.structure.get("input_size")
    if isinstance(said, int) and not isinstance(said, bool) and 0 < said <= _MOST_FEATURES:
        return said
    raise LUTError(
        f"{weights.path} does not say how many features a sample has.",
        remedy="set input_size in the configuration",
    )
