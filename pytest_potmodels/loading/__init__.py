"""A stored folder -> an object, with no network and no source: each format has one loader.

Every call gives a fresh model that shares nothing writable with another one or with the files.
"""

from collections.abc import Mapping
from pkgutil import resolve_name
from types import MappingProxyType
from typing import Protocol, cast

from pytest_potmodels import extras
from pytest_potmodels.artifacts import Format, LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.errors import UnknownNameError

__all__ = ["load", "require_packages"]


class Loader(Protocol):
    """What stands behind each name of the registry."""

    def __call__(
        self, stored: StoredModel, options: LoadOptions, *, device: str
    ) -> LoadedModel: ...


#: Names, not functions: a loader's libraries are imported when its format is met.
_LOADERS: Mapping[str, str] = MappingProxyType(
    {
        "transformers": "pytest_potmodels.loading.transformers:load",
        "torchvision": "pytest_potmodels.loading.torchvision:load",
        "mock": "pytest_potmodels.loading.mock:load",
    }
)


#: What must be installed for a format, as far as one can tell without importing it.
_PACKAGES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"transformers": ("torch", "transformers"), "torchvision": ("torch", "torchvision")}
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
    if stored.format not in _LOADERS:
        raise UnknownNameError("model format", stored.format, _LOADERS)
    return _loader(_LOADERS[stored.format])(stored, options, device=device)


def _loader(name: str) -> Loader:
    try:
        return cast(Loader, resolve_name(name))
    except ImportError as error:
        raise extras.missing(error.name or name, error) from error
