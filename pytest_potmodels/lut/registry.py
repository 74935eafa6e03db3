"""The parts of LUT networks by name: nodes, layers, encoders, regularizers, initializers, models.

    from pytest_potmodels.lut import REGISTRY

    @REGISTRY.register_regularizer("mine")
    def mine(probabilities): ...

What this package brings is imported when it is first asked for; nothing here imports torch.
"""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Any, TypeVar

from pytest_potmodels import extras
from pytest_potmodels.errors import LUTError, LUTNameError

_Part = TypeVar("_Part")

_HERE = "pytest_potmodels.lut"
#: Kind -> name -> "module:attribute", within this package.
BUILT_IN: Mapping[str, Mapping[str, str]] = {
    "node": {
        "dwn": "nodes.dwn:DWNNode",
        "dwn_stable": "nodes.dwn:DWNStableNode",
        "linear_lut": "nodes.linear_lut:LinearLUTNode",
        "probabilistic": "nodes.probabilistic:ProbabilisticNode",
        "warp": "nodes.warp:WarpNode",
    },
    "layer": {
        "arange": "layers.fixed:ArangeLayer",
        "learnable": "layers.learnable:LearnableLayer",
        "random": "layers.fixed:RandomLayer",
    },
    "encoder": {
        "distributive": "encoders.thermometers:DistributiveThermometer",
        "gaussian": "encoders.thermometers:GaussianThermometer",
        "thermometer": "encoders.thermometers:Thermometer",
    },
    "regularizer": {
        "clarity": "regularizers:clarity",
        "entropy": "regularizers:entropy",
        "functional": "regularizers:functional",
        "l1": "regularizers:l1",
        "l2": "regularizers:l2",
        "spectral": "regularizers:spectral",
    },
    "initializer": {
        "kaiming_normal": "initializers:kaiming_normal",
        "kaiming_uniform": "initializers:kaiming_uniform",
        "normal": "initializers:normal",
        "residual": "initializers:residual",
        "uniform": "initializers:uniform",
        "variance_stabilized": "initializers:variance_stabilized",
        "xavier_normal": "initializers:xavier_normal",
        "xavier_uniform": "initializers:xavier_uniform",
        "zeros": "initializers:zeros",
    },
    "model": {
        "convnet": "convnet:ConvNet",
        "feedforward": "feedforward:SimpleFeedForward",
    },
}


class Registry:
    """Parts by kind and name: those of this package, and what the user adds by decorators."""

    def __init__(self) -> None:
        self._added: dict[str, dict[str, Any]] = {kind: {} for kind in BUILT_IN}

    def names(self, kind: str) -> list[str]:
        """The names of a kind, sorted: "node", "layer", "encoder", "regularizer", ..."""
        return sorted({*BUILT_IN[kind], *self._added[kind]})

    def is_built_in(self, kind: str, name: str) -> bool:
        """Whether that name stands for a part of this package."""
        return name in BUILT_IN[kind] and name not in self._added[kind]

    def check_name(self, kind: str, name: str, *, what: str = "", where: str = "") -> None:
        """Accept a name, without importing what it stands for.

        Raises:
            LUTNameError: there is no such part; with close matches.
        """
        known = self.names(kind)
        if name in known:
            return
        raise LUTNameError(
            what or kind,
            name,
            known,
            remedy=f"registered: {', '.join(known)}; REGISTRY.register_{kind} adds one",
            where=where.removesuffix(": "),
        )

    def get(self, kind: str, name: str) -> Any:
        """The part of that kind and name.

        Raises:
            LUTNameError: there is none.
            MissingPackageError: it is ours, and PyTorch is not installed.
        """
        self.check_name(kind, name)
        if name in self._added[kind]:
            return self._added[kind][name]
        try:
            return resolve_name(f"{_HERE}.{BUILT_IN[kind][name]}")
        except ModuleNotFoundError as error:
            if error.name != "torch":
                raise
            raise extras.missing("torch", error, extra="lut") from error

    def register_node(self, name: str, *, override: bool = False) -> Callable[[_Part], _Part]:
        """Have a class of nodes be `node_type: NAME`."""
        return self._registering("node", name, override=override)

    def register_layer(self, name: str, *, override: bool = False) -> Callable[[_Part], _Part]:
        """Have a class of layers be `layer_type: NAME`."""
        return self._registering("layer", name, override=override)

    def register_encoder(self, name: str, *, override: bool = False) -> Callable[[_Part], _Part]:
        """Have a class of encoders be `encoder_config: {name: NAME}`."""
        return self._registering("encoder", name, override=override)

    def register_regularizer(
        self, name: str, *, override: bool = False
    ) -> Callable[[_Part], _Part]:
        """Have a function of probabilities (W, 2^n) be `regularizers: {NAME: {weight: w}}`."""
        return self._registering("regularizer", name, override=override)

    def register_initializer(
        self, name: str, *, override: bool = False
    ) -> Callable[[_Part], _Part]:
        """Have a function of a `Fill` be `init_fn: NAME`."""
        return self._registering("initializer", name, override=override)

    def register_model(self, name: str, *, override: bool = False) -> Callable[[_Part], _Part]:
        """Have a class of models be `model_type: NAME`."""
        return self._registering("model", name, override=override)

    def get_node(self, name: str) -> Any:
        """The class of `node_type: NAME`."""
        return self.get("node", name)

    def get_layer(self, name: str) -> Any:
        """The class of `layer_type: NAME`."""
        return self.get("layer", name)

    def get_encoder(self, name: str) -> Any:
        """The class of `encoder_config: {name: NAME}`."""
        return self.get("encoder", name)

    def get_regularizer(self, name: str) -> Any:
        """The function of `regularizers: {NAME: ...}`."""
        return self.get("regularizer", name)

    def get_initializer(self, name: str) -> Any:
        """The function of `init_fn: NAME`."""
        return self.get("initializer", name)

    def get_model(self, name: str) -> Any:
        """The class of `model_type: NAME`."""
        return self.get("model", name)

    def _registering(self, kind: str, name: str, *, override: bool) -> Callable[[_Part], _Part]:
        if not isinstance(name, str) or not name.strip():
            raise LUTError(
                f"a {kind} is registered by a name, got {name!r}",
                remedy=f'@REGISTRY.register_{kind}("NAME")',
            )
        if name in self.names(kind) and not override:
            remedy = "choose another name, or pass override=True to replace it"
            raise LUTError(f"there is a {kind} {name!r} already", remedy=remedy)

        def add(part: _Part) -> _Part:
            self._added[kind][name] = part
            return part

        return add


#: Registers of this process: filled by decorators, when the user's modules are imported.
REGISTRY = Registry()
