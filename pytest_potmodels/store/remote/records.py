"""The documents of a remote: JSON that others wrote, read like a manifest of a foreign cache."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_potmodels import file_names
from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.catalog.torchvision_weights import all_weights
from pytest_potmodels.identifiers import ModelId, checked
from pytest_potmodels.store import manifest, plain_json
from pytest_potmodels.store.plain_json import one_of, optional, typed
from pytest_potmodels.store.remote.layout import HELD

SCHEMA = 1
#: No model has as many, and each takes time, whatever its size.
_MOST_FILES = 10_000
#: What reading a document may raise that is not what it should be.
UNREADABLE = (ValueError, KeyError, TypeError, RecursionError)


@dataclass(frozen=True)
class Ref:
    """Which model a ref of a name leads to: `digest` is that over its files."""

    asked: str
    ref: str
    name: str
    revision: str | None
    digest: str


def marker() -> bytes:
    """The document that says that this is a remote."""
    return _written({"schema": SCHEMA, "written_by": "pytest-potmodels"})


def check_marker(data: bytes) -> None:
    """Pass if a remote is of this layout; raises like `read_ref`."""
    _facts(data)


def write_ref(ref: Ref) -> bytes:
    """A ref as a document."""
    return _written({"schema": SCHEMA, **vars(ref)})


def read_ref(data: bytes, asked: str, ref: str) -> Ref:
    """The ref that a document is, if it is that of the name that was asked for.

    Raises:
        KeyError, RecursionError, TypeError, ValueError: it is not.
    """
    facts = _facts(data)
    found = Ref(
        asked=typed(str, facts["asked"]),
        ref=typed(str, facts["ref"]),
        name=typed(str, facts["name"]),
        revision=optional(facts["revision"]),
        digest=typed(str, facts["digest"]),
    )
    if (found.asked, found.ref) != (asked, ref):
        raise ValueError(f"it is of {found.asked!r}, {found.ref or 'the default'!r}")
    return found


def write_manifest(stored: StoredModel) -> bytes:
    """A manifest as a document; refs and other names have their own, because they change."""
    return _written(manifest.as_json(replace(stored, refs=(), aliases=())))


def read_manifest(data: bytes, wanted: Ref, source: str) -> StoredModel:
    """The model that a manifest describes, if it is the one that a ref leads to.

    Raises:
        KeyError, RecursionError, TypeError, ValueError: it is not, or it is no manifest.
        UsageError: its name is none of this source.
    """
    stored = manifest.from_json(plain_json.parsed(data), Path())
    if stored.in_place:
        raise ValueError("it points to a folder of some machine")
    if stored.id != ModelId(source, wanted.name):
        raise ValueError(f"it is of {stored.id}, not of {source}:{wanted.name}")
    if (stored.revision, stored.digest) != (wanted.revision, wanted.digest):
        raise ValueError(f"it is of revision {stored.revision!r}, digest {stored.digest}")
    checked(ModelId(source, wanted.name, wanted.revision))
    one_of(HELD[source], stored.format)
    _check_files([file.path for file in stored.files])
    if source == "torchvision":
        _check_published(stored)
    return stored


def _check_files(paths: Sequence[str]) -> None:
    if not 0 < len(paths) <= _MOST_FILES:
        raise ValueError(f"it has {len(paths)} files")
    found = next(filter(None, map(file_names.path_trouble, paths)), "")
    if trouble := found or file_names.clash(paths):
        raise ValueError(trouble)


def _check_published(stored: StoredModel) -> None:
    """What torchvision publishes has a network and a beginning of its sha256, which are known."""
    if stored.architecture != stored.id.name:
        raise ValueError(f"its network is {stored.architecture!r}")
    for weights in all_weights(stored.id.name):
        wrong = [f for f in stored.files if not f.sha256.startswith(weights.sha256_prefix)]
        if weights.name == stored.revision and wrong:
            raise ValueError(
                f"sha256 {wrong[0].sha256}, and that of {weights.name} begins with "
                f"{weights.sha256_prefix}"
            )


def _facts(data: bytes) -> dict[str, Any]:
    facts = typed(dict, plain_json.parsed(data))
    if facts["schema"] != SCHEMA:
        raise ValueError(f"schema {facts['schema']!r}, this version reads {SCHEMA}")
    return facts


def _written(facts: dict[str, Any]) -> bytes:
    return (json.dumps(facts, indent=2, ensure_ascii=False) + "\n").encode()
