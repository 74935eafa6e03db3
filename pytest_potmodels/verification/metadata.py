"""What is known of a model before any of it is fetched."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pytest_potmodels.artifacts import ModelRequest, Repository, StoredModel
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.verification import known


@dataclass(frozen=True)
class ModelMetadata:
    """A model at one revision: what it is, what it has, and what of it is here."""

    model_id: str
    name: str
    source: str
    revision: str | None
    model_type: str
    #: Which rule told the type.
    detected_by: str
    architectures: tuple[str, ...] = ()
    library: str = ""
    task: str = ""
    license: str = "unknown"
    gated: bool = False
    #: Path -> bytes, as far as they are stated.
    files: Mapping[str, int | None] = field(default_factory=dict)
    #: The folder of the model in the cache; None where it is not there.
    cached: str | None = None
    #: Where this is from: "hub" or "cache".
    told_by: str = "hub"

    @property
    def onnx_files(self) -> tuple[str, ...]:
        """Its files that are ONNX already."""
        return tuple(sorted(path for path in self.files if path.endswith(".onnx")))

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "onnx_files": list(self.onnx_files)}


def metadata_of(pipeline: Pipeline, model_id: str) -> ModelMetadata:
    """What the hub says; with the network closed, what the cache knows of its own model.

    Raises:
        UnavailableError: it cannot be had, or nothing is known of it here.
    """
    request = pipeline.catalog.request(model_id)
    stored = known.here(pipeline, request)
    if request.id.source == "huggingface" and not pipeline.settings.closed_by:
        return _of_hub(pipeline, request, pipeline.describe(request), stored)
    if stored is None:
        return _of_source(pipeline, request)
    return _of_cache(pipeline, request, stored)


def _of_hub(
    pipeline: Pipeline, request: ModelRequest, said: Repository, stored: StoredModel | None
) -> ModelMetadata:
    told = known.detected(pipeline, request, repository=said)
    return ModelMetadata(
        request.asked, said.name, request.id.source, said.revision, told.model_type, told.rule,
        said.architectures, said.library, said.task, said.license, said.gated,
        dict(sorted(said.files.items())), str(stored.path) if stored else None,
    )  # fmt: skip


def _of_cache(pipeline: Pipeline, request: ModelRequest, stored: StoredModel) -> ModelMetadata:
    told = known.detected(pipeline, request)
    return ModelMetadata(
        request.asked, stored.id.name, stored.id.source, stored.revision,
        told.model_type, told.rule,
        license=stored.license, gated=stored.gated,
        files={file.path: file.size for file in stored.files},
        cached=str(stored.path), told_by="cache",
    )  # fmt: skip


def _of_source(pipeline: Pipeline, request: ModelRequest) -> ModelMetadata:
    """Of a model that is in no repository: its source's own answer."""
    if pipeline.settings.closed_by or request.id.source in {*IN_PLACE, "mock"}:
        return _of_cache(pipeline, request, pipeline.acquire(request))
    resolved = pipeline.resolve(request, Deadline(pipeline.settings.timeout))
    told = known.detected(pipeline, request)
    return ModelMetadata(
        request.asked, resolved.id.name, resolved.id.source, resolved.revision,
        told.model_type, told.rule, license=resolved.license, gated=resolved.gated,
        files={str(file.path): file.size for file in resolved.files}, told_by="source",
    )  # fmt: skip
