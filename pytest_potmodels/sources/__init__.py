"""Where models come from: one module each, imported when its source is first asked."""

from collections.abc import Callable
from importlib import import_module
from typing import cast

from pytest_potmodels.errors import UnknownNameError
from pytest_potmodels.sources.base import Source, SourceContext

#: Source -> "module:class".
REGISTRY = {
    "file": "pytest_potmodels.sources.file:FileSource",
    "huggingface": "pytest_potmodels.sources.huggingface:HuggingFaceSource",
    "lut": "pytest_potmodels.sources.lut:LutSource",
    "mock": "pytest_potmodels.sources.mock:MockSource",
    "package": "pytest_potmodels.sources.package:PackageSource",
    "pytorch_hub": "pytest_potmodels.sources.torch_hub:TorchHubSource",
    "torchvision": "pytest_potmodels.sources.torchvision:TorchvisionSource",
    "url": "pytest_potmodels.sources.url:UrlSource",
}

__all__ = ["REGISTRY", "Source", "SourceContext", "open_source"]


def open_source(name: str, context: SourceContext) -> Source:
    """The source of that name.

    Raises:
        UnknownNameError: there is none.
    """
    if name not in REGISTRY:
        raise UnknownNameError("source", name, REGISTRY)
    module, _, attribute = REGISTRY[name].partition(":")
    build = cast(Callable[[SourceContext], Source], getattr(import_module(module), attribute))
    return build(context)
