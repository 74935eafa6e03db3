"""A torchvision architecture with a user's own state dict, of any number of classes."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import nn
from torch.nn.modules.utils import consume_prefix_in_state_dict_if_present

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.loading.weights_file import State, misfit, not_loadable, read_state

#: Architecture -> where its auxiliary heads are: a state dict has them or not, so must the model.
_AUXILIARY: Mapping[str, str] = MappingProxyType(
    {"googlenet": "aux1.", "inception_v3": "AuxLogits."}
)

#: What DistributedDataParallel puts before every name.
_PARALLEL_PREFIX = "module."


def build_custom(models: Any, stored: StoredModel) -> nn.Module:
    """Build the architecture with as many classes as the file has, and fill it strictly.

    Raises:
        UnavailableError: the file is damaged, or its names or shapes are another network's.
    """
    state = read_state(stored)
    consume_prefix_in_state_dict_if_present(state, _PARALLEL_PREFIX)
    shape = _auxiliary(stored, state)
    with torch.device("meta"):
        skeleton = models.get_model(stored.architecture, weights=None, **shape)
    classes = _classes_in(stored, state, head_name(skeleton))
    model: nn.Module = models.get_model(
        stored.architecture, weights=None, num_classes=classes, **shape
    )
    try:
        model.load_state_dict(state)
    except (RuntimeError, ValueError) as error:
        raise misfit(stored, error) from error
    return model


def class_count(model: nn.Module) -> int:
    """The number of logits, read off the last tensor of a classifier."""
    return int(model.state_dict()[head_name(model)].shape[0])


def head_name(model: nn.Module) -> str:
    """The name of the tensor that is as long as there are classes.

    It is the last in the model's own order; a file need not keep that (safetensors does not).
    """
    return list(model.state_dict())[-1]


def _classes_in(stored: StoredModel, state: State, head: str) -> int:
    if head not in state:
        some = ", ".join(list(state)[:3])
        found = f"expected the tensor {head!r} of {stored.architecture}, found {some}, ..."
        raise not_loadable(stored, found, remedy="give the architecture of these weights")
    return int(state[head].shape[0])


def _auxiliary(stored: StoredModel, state: State) -> dict[str, bool]:
    """Arguments of the two builders that have auxiliary heads; none for the others."""
    prefix = _AUXILIARY.get(stored.architecture or "")
    if prefix is None:
        return {}
    has_heads = any(name.startswith(prefix) for name in state)
    # Their initialisation takes seconds, and the file replaces all of it.
    return {"aux_logits": has_heads, "init_weights": False}
