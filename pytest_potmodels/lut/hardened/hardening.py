"""A torch network -> the circuit that its deterministic mode is."""

from typing import Any

import numpy as np

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened.layer import HardenedLayer
from pytest_potmodels.lut.hardened.network import HardenedNetwork

#: What a hardened network evaluates: layer after layer.
_KIND = "feedforward"
_HERE = "pytest_potmodels.lut."


def harden(model: Any) -> HardenedNetwork:
    """The bits of a feedforward network: what it computes in its deterministic mode.

    The model stays as it is. Flips are left out: they are noise, and no part of the network.

    Raises:
        LUTError: a network of another kind, or one whose encoder is not fitted.
    """
    model = getattr(model, "_orig_mod", model)  # What torch.compile wraps.
    if why := obstacle(model):
        raise LUTError(f"the network cannot be hardened: {why}.")
    if model.encoder is None or not model.encoder.fitted:
        remedy = "call model.fit_encoder(train_x), or load weights"
        raise LUTError("the encoder is not fitted: there are no thresholds", remedy=remedy)
    encoder, config = model.encoder, model.config
    shape = (encoder.input_size, encoder.num_bits)
    return HardenedNetwork(
        # One row of thresholds may serve all features.
        thresholds=np.broadcast_to(_array(encoder.thresholds.float()), shape),
        layers=tuple(_layer(layer) for layer in model.layers),
        num_classes=config.num_classes,
        output_tau=config.output_tau,
        name=config.pretrained_name or "",
    )


def obstacle(model: Any) -> str:
    """Why a network is no circuit of thresholds, tables and counts; "" where it is one.

    Registered nodes are asked for their table; encoders and layers that compute in a way of their
    own would be left out silently.
    """
    kind = getattr(getattr(model, "config", None), "model_type", type(model).__name__)
    if kind != _KIND:
        return f"only a {_KIND} network is a circuit of layers, and this is {kind}"
    if _own(model, "forward", "outputs", "exact_counts"):
        return f"{type(model).__name__} runs in a way of its own"
    if model.encoder is not None and _own(model.encoder, "bits"):
        return f"{type(model.encoder).__name__} encodes in a way of its own"
    own = [type(each).__name__ for each in model.layers if _own(each, "forward", "gathered")]
    return f"{own[0]} runs in a way of its own" if own else ""


def _own(part: Any, *methods: str) -> bool:
    """Whether a class outside of this package gives one of these methods."""
    givers = (getattr(getattr(type(part), name, None), "__module__", "") for name in methods)
    # By module, because a hardened network is imported without torch.
    return not all(giver.startswith(_HERE) for giver in givers)


def _layer(layer: Any) -> HardenedLayer:
    layer.settle()  # A mapping that is being learned is out of date until then.
    return HardenedLayer.from_bits(_array(layer.mapping), _array(layer.node.table()))


def _array(tensor: Any) -> np.ndarray[Any, np.dtype[Any]]:
    array: np.ndarray[Any, np.dtype[Any]] = tensor.detach().cpu().numpy()
    return array
