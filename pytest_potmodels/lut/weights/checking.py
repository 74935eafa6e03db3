"""Whether weights fit a network: all of them, by name, shape and value, before one is taken."""

from collections.abc import Mapping
from typing import Any

import torch

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.configuration.structural import differing_fields
from pytest_potmodels.lut.layers import Layer
from pytest_potmodels.lut.weights.reading import Weights
from pytest_potmodels.lut.weights.subject import Subject

#: Parts of a network's state that no file has: a flag that thresholds imply, and what a learnable
#: mapping is while it trains.
_NOT_IN_FILES = frozenset({"fitted", "connections"})
#: What may stand for each other: the values are taken over one by one.
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
_WHOLE = (torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64)
#: Differences that an error lists.
_MOST = 5


def state_for_files(model: Subject) -> dict[str, torch.Tensor]:
    """The tensors of a network that its file holds."""
    state = model.state_dict()
    return {name: state[name] for name in state if name.rpartition(".")[2] not in _NOT_IN_FILES}


def check_weights(model: Subject, structure: Mapping[str, Any], weights: Weights) -> None:
    """Accept weights for a network of this structure; nothing is changed.

    Raises:
        LUTError: names or shapes differ, or the structure that the file was written for; a value
            is not finite; a mapping points beyond what there is.
    """
    wanted = state_for_files(model)
    differing = _differing(structure, weights.structure)
    if found := [*_names(wanted, weights.tensors), *_shapes(wanted, weights.tensors, differing)]:
        more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
        raise LUTError(
            f"{weights.path} does not fit the configuration: {'; '.join([*found[:_MOST], *more])}.",
            remedy="the configuration that the weights were saved with",
        )
    if differing:
        raise LUTError(
            f"{weights.path} was saved for another network: {'; '.join(differing.values())}.",
            remedy="the configuration that the weights were saved with",
        )
    _check_values(model, weights, wanted)


def _names(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> list[str]:
    missing = [f"{name} is missing" for name in wanted if name not in found]
    return [*missing, *(f"{name} is unexpected" for name in sorted(found) if name not in wanted)]


def _shapes(
    wanted: Mapping[str, torch.Tensor],
    found: Mapping[str, torch.Tensor],
    differing: Mapping[str, str],
) -> list[str]:
    why = f" - {'; '.join(differing.values())}" if differing else ""
    said = []
    for name in wanted:
        if name not in found:
            continue
        file, config = tuple(found[name].shape), tuple(wanted[name].shape)
        if file != config:
            said.append(f"{name}: file {file}, config {config}{why or _fields_of(name)}")
        elif not _of_one_kind(found[name].dtype, wanted[name].dtype):
            said.append(f"{name}: file {found[name].dtype}, config {wanted[name].dtype}")
    return said


def _of_one_kind(file: torch.dtype, config: torch.dtype) -> bool:
    return file == config or any(file in kind and config in kind for kind in (_FLOATS, _WHOLE))


def _fields_of(name: str) -> str:
    fields = "input_size/num_bits" if name.startswith("encoder.") else "layer_widths/node_input_dim"
    return f" - {fields} differ"


def _differing(config: Mapping[str, Any], file: Mapping[str, Any] | None) -> dict[str, str]:
    """Fields that the file was written with otherwise; an input size may not be known yet."""
    if file is None:
        return {}
    return {
        key: f"{key} {file.get(key)!r} in the file, {config.get(key)!r} in the config"
        for key in differing_fields(config, file)
    }


def _check_values(model: Subject, weights: Weights, wanted: Mapping[str, torch.Tensor]) -> None:
    for name, tensor in weights.tensors.items():
        if tensor.dtype in _FLOATS:
            _check_finite(weights, name, tensor.to(wanted[name].dtype))
    for name, layer in model.named_modules():
        if isinstance(layer, Layer):
            _check_mapping(weights, f"{name}.mapping", layer.features)


def _check_finite(weights: Weights, name: str, tensor: torch.Tensor) -> None:
    kinds = {"NaN": int(tensor.isnan().sum()), "infinite values": int(tensor.isinf().sum())}
    for kind, count in kinds.items():
        if count:
            raise LUTError(f"{weights.path}: {name} has {count} {kind}.")


def _check_mapping(weights: Weights, name: str, features: int) -> None:
    mapping = weights.tensors[name]
    for index in (int(mapping.max()), int(mapping.min())):
        if not 0 <= index < features:
            raise LUTError(
                f"{weights.path}: {name} has index {index}, and there are {features} inputs."
            )
