"""What is known of a model without a request: its entry in the cache, and its type."""

import json
from contextlib import suppress

from pytest_potmodels.artifacts import ModelRequest, Repository, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.onnx_export import family_names
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.verification.detection import Detected, detect

_TYPES = frozenset(family_names.names())


def config_of(stored: StoredModel | None) -> str:
    """`model_type` of the config.json of a model on disk; "" where there is none."""
    if stored is None or not any(file.path == "config.json" for file in stored.files):
        return ""
    with suppress(OSError, ValueError):
        said = json.loads((stored.path / "config.json").read_text(encoding="utf-8"))
        kind = said.get("model_type") if isinstance(said, dict) else None
        return kind if isinstance(kind, str) else ""
    return ""


def here(pipeline: Pipeline, request: ModelRequest) -> StoredModel | None:
    """The model's entry in the cache; a damaged one is nobody's until it is asked for."""
    with suppress(DigestMismatchError, StoreError):
        return pipeline.store.find(request.id)
    return None


def detected(
    pipeline: Pipeline,
    request: ModelRequest,
    *,
    override: str | None = None,
    repository: Repository | None = None,
    original: ModelRequest | None = None,
) -> Detected:
    """The type of a model, by what is known without another request."""
    networks = request.id.source == "torchvision"
    return detect(
        request.asked,
        override=override,
        configured=config_of(here(pipeline, original or request)),
        architecture=request.architecture or (request.id.name if networks else ""),
        repository=repository,
        known=_TYPES,
    )
