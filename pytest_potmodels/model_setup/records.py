"""What a setup loaded: rows for the memory report and for the registry."""

import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib import metadata
from typing import Any

from pytest_potmodels.artifacts import LoadedModel, StoredModel
from pytest_potmodels.fallback import Obtained
from pytest_potmodels.model_setup.configuration import ModelConfig
from pytest_potmodels.store.manifest import as_json

SCHEMA = 1
#: Packages whose version a model's numbers depend on.
_PACKAGES = ("pytest-potmodels", "torch", "torchvision", "transformers")


@dataclass(frozen=True)
class Record:
    """One load: what was asked for and what came; `substitute` says why it was a mock."""

    name: str
    model_type: str
    preset: str
    device: str
    seed: int
    model: str
    source: str
    revision: str | None
    digest: str
    memory_mb: float
    substitute: str
    why: str


@dataclass(frozen=True, eq=False)
class Kept:
    """A model in memory, with the row of the load that brought it."""

    loaded: LoadedModel
    record: Record


def record_of(config: ModelConfig, got: Obtained, device: str) -> Record:
    """The row of a load."""
    model = got.model
    return Record(
        name=config.name,
        model_type=model.kind,
        preset=str(config.preset),
        device=device,
        seed=config.seed,
        model=str(model.id),
        source=model.source,
        revision=model.revision,
        digest=model.digest,
        memory_mb=model.memory_mb,
        substitute=got.substitute,
        why=got.why,
    )


def memory_report(kept: Sequence[Kept]) -> dict[str, Any]:
    """Total and largest in MiB, and a row per model in memory, the largest first."""
    rows = sorted((each.record for each in kept), key=lambda row: -row.memory_mb)
    return {
        "total_memory_mb": float(sum(row.memory_mb for row in rows)),
        "largest_model": rows[0].model if rows else None,
        "largest_memory_mb": rows[0].memory_mb if rows else 0.0,
        "model_count": len(rows),
        "models": [asdict(row) for row in rows],
    }


def registry(
    loads: Iterable[Record], kept: Iterable[Kept], stored: Iterable[StoredModel]
) -> dict[str, Any]:
    """All loads with the checksums of those in memory, the cache's manifests, the versions."""
    live = {id(each.record): each.loaded for each in kept}
    return {
        "schema": SCHEMA,
        "versions": {"python": sys.version.split()[0], **_versions()},
        "loaded": [{**asdict(row), "checksum": _checksum(live.get(id(row)))} for row in loads],
        "stored": [as_json(model) for model in stored],
    }


def _checksum(loaded: LoadedModel | None) -> str | None:
    return loaded.checksum if loaded is not None else None


def _versions() -> dict[str, str]:
    installed = {}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            installed[package] = metadata.version(package)
    return installed
