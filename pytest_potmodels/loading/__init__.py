"""A stored folder -> an object, with no network and no source: each format has one loader.

`load` goes the stock way, with the library's own loader: every call gives a fresh model that
shares nothing with another one. `originals` gives the same model at the speed of memory.
"""

import logging
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol, cast

from pytest_potmodels import extras
from pytest_potmodels.artifacts import Format, LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.errors import UnknownNameError

if TYPE_CHECKING:
    from pytest_potmodels.loading.built import Built

__all__ = ["Loader", "load", "loader_of", "require_packages"]

_log = logging.getLogger(__name__)


class Loader(Protocol):
    """What stands behind each name of the registry."""

    def build(self, stored: StoredModel, options: LoadOptions) -> "Built":
        """The model as its own library builds it."""
        ...

    def dress(
        self, stored: StoredModel, options: LoadOptions, model: Any, facts: Mapping[str, Any]
    ) -> LoadedModel:
        """The model with its tokenizer, transforms, categories."""
        ...

    def skeleton(self, stored: StoredModel, options: LoadOptions, facts: Mapping[str, Any]) -> Any:
        """The same model without numbers; called where tensors have none."""
        ...

    def versions(self) -> dict[str, str]:
        """The libraries that decide how the model is built."""
        ...


#: Names, not modules: a loader's libraries are imported when its format is met.
_LOADERS: Mapping[str, str] = MappingProxyType(
    {
        "transformers": "pytest_potmodels.loading.transformers",
        "torchvision": "pytest_potmodels.loading.torchvision",
        "torch_hub": "pytest_potmodels.loading.torch_hub",
        "lut": "pytest_potmodels.loading.lut",
        "mock": "pytest_potmodels.loading.mock",
        "weights": "pytest_potmodels.loading.bare_file",
        "onnx": "pytest_potmodels.loading.bare_file",
    }
)


#: What must be installed for a format, as far as one can tell without importing it.
_PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "transformers": ("torch", "transformers"),
        "torchvision": ("torch", "torchvision"),
        "torch_hub": ("torch",),
        "lut": ("numpy",),  # Its bits are a model by themselves.
    }
)


def require_packages(model_format: Format) -> None:
    """Make sure that a format's libraries are installed; nothing is imported.

    Raises:
        MissingPackageError: with the pip line.
    """
    for package in _PACKAGES.get(model_format, ()):
        extras.require_installed(package)


def load(stored: StoredModel, options: LoadOptions, *, device: str) -> LoadedModel:
    """Load a stored model onto a device ("cpu", "cuda", "cuda:1"), in evaluation mode.

    Raises:
        MissingPackageError: a library that the format needs cannot be imported.
        UnavailableError: the files do not make a model (reason not-loadable).
        UsageError: options that the model does not have, or a device that is not there.
    """
    loader = loader_of(stored.format)
    if device != "cpu":  # A file that no loader is for is no reason to import torch.
        require_device(device)
    built = loader.build(stored, options)
    announce(built.facts)
    return complete(loader.dress(stored, options, built.model.to(device), built.facts))


def announce(facts: Mapping[str, Any]) -> None:
    """Log what the user should know of a model, once for each time it is opened."""
    for line in facts.get("warnings", ()):
        _log.warning(line)


def require_device(device: str) -> None:
    """Make sure that a device is there.

    Raises:
        UsageError: it is not.
    """
    opened("pytest_potmodels.loading.placement").check_device(device)


def complete(loaded: LoadedModel) -> LoadedModel:
    """Make the parts that would be made when first looked at: what fails should fail now."""
    _ = loaded.tokenizer, loaded.processor, loaded.transforms
    return loaded


def loader_of(model_format: str) -> Loader:
    """The loader of a format, with its libraries imported.

    Raises:
        UnknownNameError: there is no such format.
        MissingPackageError: a library that the format needs cannot be imported.
    """
    if model_format not in _LOADERS:
        raise UnknownNameError("model format", model_format, _LOADERS)
    return cast(Loader, opened(_LOADERS[model_format]))


def opened(name: str) -> Any:
    """A module of this room that imports a framework.

    Raises:
        MissingPackageError: the framework cannot be imported.
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise extras.missing(error.name or name, error) from error
