"""Weights of one network for another: what fits is copied, and what does not is said."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import nn

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.encoders import Encoder
from pytest_potmodels.lut.layers import Layer

_LEARNED = "connections"
_State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class CopyReport:
    """Which parts were copied, and why each other one was left as it was.

    Attributes:
        copied: names of parts: "encoder", "layers.0", ...
        left: name of a part of the target -> why it was not copied.
    """

    copied: tuple[str, ...]
    left: Mapping[str, str]

    def __str__(self) -> str:
        said = [f"copied {name}" for name in self.copied]
        return "\n".join([*said, *(f"left {name}: {why}" for name, why in self.left.items())])


def copy_matching_weights(source: BaseLUTModel, target: BaseLUTModel) -> CopyReport:
    """Copy each part of `source` that fits the part of that name in `target`.

    A layer is copied whole, tables with the mapping that gives them a meaning, or not at all.
    Thresholds that the target was fitted with stay. Nothing is shared afterwards.

    Raises:
        LUTError: one of the two has no tensors yet, because nobody said its input size.
    """
    for name, model in (("source", source), ("target", target)):
        _check_network(name, model)
    theirs, parts = _parts(source), _parts(target)
    reasons = {name: _why_not(theirs.get(name), part) for name, part in parts.items()}
    for name, part in parts.items():
        if not reasons[name]:
            part.load_state_dict(_state_for(theirs[name], part))
    copied = tuple(name for name, why in reasons.items() if not why)
    return CopyReport(copied, {name: why for name, why in reasons.items() if why})


def _check_network(name: str, model: object) -> None:
    if not isinstance(model, BaseLUTModel):
        raise LUTError(f"the {name} is a {type(model).__name__}, expected a LUT network")
    if model.encoder is None:
        raise LUTError(
            f"the {name} has no tensors yet, because its input size is not known",
            remedy="set input_size, or call fit_encoder",
        )


def _parts(model: nn.Module) -> dict[str, nn.Module]:
    """Encoders, then layers, by name."""
    modules = list(model.named_modules())
    kinds = (Encoder, Layer)
    return {name: each for kind in kinds for name, each in modules if isinstance(each, kind)}


def _why_not(source: nn.Module | None, target: nn.Module) -> str:
    """Why a part cannot be copied; "" where it can."""
    if source is None:
        return "the source has none"
    if isinstance(source, Encoder) and isinstance(target, Encoder):
        return _why_no_encoder(source, target) or _why_no_shapes(source, target)
    if isinstance(source, Layer) and isinstance(target, Layer):
        return _why_no_layer(source, target) or _why_no_shapes(source, target)
    return _differ("kind", type(source).__name__, type(target).__name__)


def _why_no_encoder(source: Encoder, target: Encoder) -> str:
    if type(source) is not type(target):
        return _differ("kind", type(source).__name__, type(target).__name__)
    if not source.fitted:
        return "the source's is not fitted"
    return "the target's is fitted already" if target.fitted else ""


def _why_no_layer(source: Layer, target: Layer) -> str:
    if type(source.node) is not type(target.node):
        return _differ("node", type(source.node).__name__, type(target.node).__name__)
    if source.features != target.features:
        return _differ("inputs", source.features, target.features)
    return ""


def _why_no_shapes(source: nn.Module, target: nn.Module) -> str:
    theirs, ours = _state_for(source, target), target.state_dict()
    for name in {**theirs, **ours}:
        shapes = [tuple(state[name].shape) if name in state else None for state in (theirs, ours)]
        if shapes[0] != shapes[1] and name != _LEARNED:
            return _differ(name, *shapes)
    return ""


def _state_for(source: nn.Module, target: nn.Module) -> _State:
    """The state of a part; what is still being learned goes only where it can go on."""
    state = source.state_dict()
    return {name: state[name] for name in state if name != _LEARNED or name in target.state_dict()}


def _differ(what: str, source: object, target: object) -> str:
    return f"{what}: {source} in the source, {target} in the target"
