"""What could be loaded here: told from disk alone, without torch and without the network."""

import importlib.util
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.artifacts import Format, Kind, ModelRequest, StoredModel
from pytest_potmodels.catalog.entries import PRESET_KINDS
from pytest_potmodels.errors import DigestMismatchError, PotModelsError
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.transfer import Deadline

_PACKAGES: dict[Format, tuple[str, ...]] = {
    "mock": ("torch",),
    "torchvision": ("torch", "torchvision"),
    "torch_hub": ("torch",),
    "transformers": ("torch", "transformers"),
}
#: Sources whose format is known before their files are.
_FORMATS: dict[str, Format] = {
    "huggingface": "transformers",
    "mock": "mock",
    "pytorch_hub": "torch_hub",
    "torchvision": "torchvision",
}
#: MiB in memory of the shipped presets' models.
_MEMORY_MB = {
    "mock:vision": 1.0,
    "mock:language": 1.7,
    "torchvision:mobilenet_v2": 13.5,
    "torchvision:resnet18": 44.6,
    "huggingface:distilbert-base-uncased": 253.0,
    "huggingface:bert-base-uncased": 417.0,
}


def list_available(pipeline: Pipeline) -> dict[str, dict[str, dict[str, Any]]]:
    """Kind -> preset -> what is known of its model."""
    presets = pipeline.catalog.presets
    return {
        kind: {
            preset: _spec(pipeline, preset, kind) for preset in presets if kind in presets[preset]
        }
        for kind in PRESET_KINDS
    }


def _spec(pipeline: Pipeline, preset: str, kind: Kind) -> dict[str, Any]:
    request = pipeline.catalog.preset(preset, kind)
    entry = pipeline.catalog.entry(request.asked)
    stored = _stored(pipeline, request)
    obstacle = _obstacle(pipeline, request, stored)
    return {
        "available": not obstacle,
        "why": obstacle,
        "model": str(request.id),
        "description": entry.description or str(request.id),
        "memory_mb": _memory_mb(request, stored),
        "cached": stored is not None,
    }


def _stored(pipeline: Pipeline, request: ModelRequest) -> StoredModel | None:
    try:
        return pipeline.store.find(request.id)
    except DigestMismatchError:
        return None  # A damaged manifest is mended by fetching, as if nothing were there.


def _obstacle(pipeline: Pipeline, request: ModelRequest, stored: StoredModel | None) -> str:
    """The first thing that stands in the way; "" if nothing on this machine does."""
    where = pipeline.settings.disabled_sources.get(request.id.source)
    if where:
        return f"the source {request.id.source} is disabled in {where}"
    form = _FORMATS.get(request.id.source)
    if form is None:
        try:
            form = pipeline.resolve(request, Deadline(pipeline.settings.timeout)).format
        except PotModelsError as error:
            return error.message
    elif form != "mock" and stored is None and pipeline.settings.closed_by:
        return f"not cached, and the network is closed by {pipeline.settings.closed_by}"
    absent = [name for name in _PACKAGES.get(form, ()) if importlib.util.find_spec(name) is None]
    return extras.missing(absent[0], ModuleNotFoundError(name=absent[0])).message if absent else ""


def _memory_mb(request: ModelRequest, stored: StoredModel | None) -> float | None:
    """MiB: the published figure, else about what the files take, else unknown (None)."""
    known = _MEMORY_MB.get(str(request.id))
    return known if known is not None or stored is None else round(stored.size / 2**20, 1)
