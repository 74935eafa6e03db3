"""How to make a torchvision network again without its weights: GoogLeNet and Inception v3 vary."""

from collections.abc import Iterable

from torch import nn


def shape_of(model: nn.Module) -> dict[str, bool]:
    """Arguments with which a builder makes the same network without weights."""
    if not hasattr(model, "aux_logits"):
        return {}
    has_heads = bool(model.aux_logits) or bool(cut_off(model))
    shape = {"aux_logits": has_heads, "init_weights": False}
    return {**shape, "transform_input": bool(model.transform_input)}


def cut_off(model: nn.Module) -> list[str]:
    """Auxiliary heads that the builder made, and took away when the weights were in."""
    return [name for name, child in vars(model)["_modules"].items() if child is None]


def cut(model: nn.Module, heads: Iterable[str]) -> None:
    """Take the same heads away."""
    for name in heads:
        setattr(model, name, None)
        vars(model)["aux_logits"] = False
