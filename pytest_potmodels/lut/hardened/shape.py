"""Whether the parts of a hardened network fit each other."""

import math
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened.layer import MOST_BITS, HardenedLayer


class Parts(Protocol):
    """What a network consists of."""

    @property
    def thresholds(self) -> np.ndarray[Any, Any]: ...  # noqa: D102
    @property
    def layers(self) -> Sequence[HardenedLayer]: ...  # noqa: D102
    @property
    def num_classes(self) -> int: ...  # noqa: D102
    @property
    def output_tau(self) -> float: ...  # noqa: D102
    @property
    def name(self) -> str: ...  # noqa: D102


def check(parts: Parts) -> None:
    """Accept parts that make a network.

    Raises:
        LUTError: they do not.
    """
    if not isinstance(parts.name, str):
        raise LUTError(f"name is {parts.name!r}, expected text.")
    _check_thresholds(np.asarray(parts.thresholds))
    _check_layers(parts.layers, np.size(parts.thresholds))
    _check_classes(parts.num_classes, parts.layers[-1].width)
    _check_tau(parts.output_tau)


def _check_thresholds(thresholds: np.ndarray[Any, Any]) -> None:
    if thresholds.dtype != np.float32 or thresholds.ndim != len("Fb") or not thresholds.size:
        raise LUTError(
            f"thresholds is {thresholds.dtype} {thresholds.shape}, expected float32 (F, b)."
        )
    if strange := np.count_nonzero(~np.isfinite(thresholds)):
        raise LUTError(
            f"thresholds has {strange} values that are NaN or infinite.",
            remedy="fit the encoder before the network is hardened: model.fit_encoder(train_x)",
        )
    if thresholds.size > MOST_BITS:
        raise LUTError(f"{thresholds.size} input bits are more than an int32 counts.")


def _check_layers(layers: Sequence[HardenedLayer], bits: int) -> None:
    listed = isinstance(layers, tuple | list) and layers
    if not listed or not all(isinstance(layer, HardenedLayer) for layer in layers):
        raise LUTError(f"layers is {layers!r}, expected HardenedLayers, at least one.")
    for place, layer in enumerate(layers):
        if (highest := int(layer.mapping.max())) >= bits:
            below = "the encoder gives" if place == 0 else f"layer {place - 1} gives"
            raise LUTError(f"layers.{place}.mapping has index {highest}; {below} {bits} bits.")
        bits = layer.width


def _check_classes(classes: int, width: int) -> None:
    if not isinstance(classes, int) or isinstance(classes, bool) or classes < 2:  # noqa: PLR2004
        raise LUTError(f"num_classes is {classes!r}, expected a whole number of at least 2.")
    if width % classes:
        raise LUTError(f"the last layer's {width} LUTs are no multiple of {classes} classes.")


def _check_tau(tau: float) -> None:
    number = isinstance(tau, int | float) and not isinstance(tau, bool) and math.isfinite(tau)
    with np.errstate(over="ignore", under="ignore"):
        held = np.float32(tau) if number else np.float32(0)
    if not 0 < held < np.inf:
        raise LUTError(f"output_tau is {tau!r}, expected a finite number above 0, as float32 too.")
