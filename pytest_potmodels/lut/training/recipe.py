"""The recipe of a training: the `train:` block of a model's YAML, checked."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration.rules import (
    PROBABILITY,
    Rule,
    check,
    number,
    optional,
    whole,
)
from pytest_potmodels.lut.configuration.runtime import check_runtime

#: More than ten, and every step leaves the tables behind; 1e300 is beyond float32.
_RATE = number("a number above 0, at most 10", lambda value: 0 < value <= 10)  # noqa: PLR2004
_SHARE = number("a number above 0 and below 1", lambda value: 0 < value < 1)
_PORTION = number("a number in [0, 1)", lambda value: 0 <= value < 1)

#: What a finished training adds to the block: where its bits come from. No part of the recipe.
STACK_KEYS = ("threads", "torch", "numpy", "scikit_learn", "cpu", "processor")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained, by one loop for all: Adam under a one-cycle rate, cross-entropy.

    Attributes:
        epochs: passes over the training images.
        lr: the highest rate, of tables.
        batch_size: images in a step; what is left over of an epoch is left out.
        seed: of mapping, weights, order, shifts and flips.
        connections_lr: the highest rate of what learns the mapping; None: the same as `lr`.
        warmup: share of the steps in which the rates rise; in the others they fall.
        label_smoothing: share of the target that goes to all classes alike.
        shift: share of the images that are moved by up to one pixel, each step anew.
        runtime: runtime values in force while training only, such as flip_probability.
    """

    epochs: int
    lr: float
    batch_size: int = 128
    seed: int = 0
    connections_lr: float | None = None
    warmup: float = 0.3
    label_smoothing: float = 0.0
    shift: float = 0.0
    runtime: Mapping[str, Any] = field(default_factory=dict)

    def as_block(self) -> dict[str, Any]:
        """The keys of the YAML block; what is left at its default is left out."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name in _ALWAYS or getattr(self, each.name) not in (each.default, {})
        }


_ALWAYS = ("epochs", "lr", "batch_size", "seed")
_RULES: Mapping[str, Rule] = {
    "epochs": whole(1),
    "lr": _RATE,
    "batch_size": whole(1),
    "seed": whole(0, 2**63 - 1),
    "connections_lr": optional(_RATE),
    "warmup": _SHARE,
    "label_smoothing": _PORTION,
    "shift": PROBABILITY,
}


def recipe_of(name: str, block: Mapping[str, Any]) -> Recipe:
    """The recipe in the `train:` block of the model `name`.

    Raises:
        LUTError: no epochs or no lr, or a value that a key cannot have.
        LUTNameError: an unknown key; with close matches.
    """
    values = {key: value for key, value in block.items() if key not in STACK_KEYS}
    known = [each.name for each in fields(Recipe)]
    for key, value in values.items():
        if key not in known:
            raise LUTNameError(
                "key", key, known, where=f"train of {name}", remedy=f"keys: {', '.join(known)}"
            )
        if key != "runtime":
            check(_RULES[key], key, value, lambda _: f"train of {name}: ")
    missing = [key for key in ("epochs", "lr") if key not in values]
    if missing:
        raise LUTError(
            f"The configuration {name} says nothing of {' and '.join(missing)} under train.",
            remedy="add `train: {epochs: 60, lr: 0.02}` to it",
        )
    check_runtime(values.get("runtime", {}), lambda _: f"train of {name}: ")
    return Recipe(**values)
