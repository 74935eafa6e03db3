"""Stored models as JSON values and as lines for people."""

from collections.abc import Mapping, Sequence
from typing import Any

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.cli.exits import Failure
from pytest_potmodels.store import manifest
from pytest_potmodels.transfer.disk import in_units


def as_json(stored: StoredModel) -> dict[str, Any]:
    """Everything of the manifest, and where the files lie."""
    record = manifest.as_json(stored)
    del record["schema"]
    return {
        "id": str(stored.id),
        **record,
        "in_place": stored.in_place,
        "path": str(stored.path) if stored.files else None,
        "size": stored.size,
    }


def nothing(name: str, **facts: Any) -> dict[str, Any]:
    """The object of a model that cannot be described, with the keys that every object has."""
    return {"name": name, "source": None, "revision": None, "files": [], **facts}


def failed(asked: str, failure: Failure) -> dict[str, Any]:
    """The object of a model that could not be had."""
    return nothing(
        asked,
        asked=asked,
        status="failed",
        reason=failure.reason,
        error=failure.message,
        remedy=failure.remedy,
        exit_code=failure.code,
    )


def facts(stored: StoredModel, more: Mapping[str, str], came: Mapping[str, str]) -> list[str]:
    """A model's record, a fact per line; no table, because digests and URLs are to be copied.

    `more` is what is known of it beside the manifest, `came` how each file came, by path.
    """
    kept = {
        "revision": stored.revision or "-",
        "refs": ", ".join(ref or "(default)" for ref in stored.refs) or "-",
        "aliases": ", ".join(stored.aliases),
        "kind": stored.kind,
        "format": stored.format,
        "architecture": stored.architecture or "",
        "licence": " ".join(stored.license.split()) + (", gated" if stored.gated else ""),
        "origin": stored.origin,
        "digest": f"sha256 {stored.digest}",
        "where": f"{stored.path}" + (" (used in place)" if stored.in_place else ""),
        "size": amount(len(stored.files), "file", stored.size),
        **more,
    }
    lines = [f"  {name:<13}{value}" for name, value in kept.items() if value]
    files = (line for file in stored.files for line in _of_file(file, came.get(file.path, "")))
    return [str(stored.id), *lines, *files]


def amount(count: int, what: str, size: int) -> str:
    """`3 models, 1.2 GB`."""
    return f"{counted(count, what)}, {in_units(size)}"


def counted(count: int, what: str) -> str:
    """`1 model`, `3 models`, `2 entries`."""
    if count == 1:
        return f"1 {what}"
    return f"{count} {what[:-1]}ies" if what.endswith("y") else f"{count} {what}s"


def amount_of(models: Sequence[StoredModel], what: str) -> str:
    """`3 models, 1.2 GB`, of these."""
    return amount(len(models), what, total_size(models))


def total_size(models: Sequence[StoredModel]) -> int:
    """Bytes of all."""
    return sum(model.size for model in models)


def stored_here(models: Sequence[StoredModel]) -> list[StoredModel]:
    """Those whose files are the cache's own."""
    return [model for model in models if not model.in_place]


def used_in_place(models: Sequence[StoredModel]) -> list[StoredModel]:
    """Those whose files are somebody else's, and stay."""
    return [model for model in models if model.in_place]


def _of_file(file: StoredFile, came: str) -> list[str]:
    return [
        f"  {file.path}",
        f"    size       {file.size} bytes",
        f"    sha256     {file.sha256}",
        f"    from       {file.url or '-'}",
        *([f"    came       {came}"] if came else []),
    ]
