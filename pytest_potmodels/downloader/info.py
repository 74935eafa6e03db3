"""What is known of a stored model, and how a download ended: values of plain fields."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import MEGABYTE, StoredModel


@dataclass(frozen=True)
class ModelInfo:
    """A stored model: what its `model_info.json` says, in short.

    Attributes:
        name: its folder, `torchvision_resnet18`.
        id: how it is asked for, `torchvision:resnet18`.
        size_mb: MiB of all files.
        files: paths within the folder.
        digest: one sha256 over the digests and paths of all files.
        fresh: whether this call fetched it; False in listings.
    """

    name: str
    id: str
    source: str
    revision: str | None
    kind: str
    format: str
    architecture: str | None
    license: str
    gated: bool
    origin: str
    digest: str
    path: str
    size_mb: float
    files: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    fresh: bool = False

    def as_json(self) -> dict[str, Any]:
        """The fields as values that `json.dumps` takes."""
        return {**asdict(self), "files": list(self.files), "aliases": list(self.aliases)}


@dataclass(frozen=True)
class Downloaded:
    """How it went with one of several models: a folder and what is in it, or the error."""

    identifier: str
    path: Path | None = None
    info: ModelInfo | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """Whether the model is there."""
        return self.error is None


def info_of(stored: StoredModel) -> ModelInfo:
    """What is known of a stored model."""
    return ModelInfo(
        name=stored.path.name,
        id=str(stored.id),
        source=stored.id.source,
        revision=stored.revision,
        kind=stored.kind,
        format=stored.format,
        architecture=stored.architecture,
        license=stored.license,
        gated=stored.gated,
        origin=stored.origin,
        digest=stored.digest,
        path=str(stored.path),
        size_mb=stored.size / MEGABYTE,
        files=tuple(file.path for file in stored.files),
        aliases=stored.aliases,
        fresh=stored.fresh,
    )
