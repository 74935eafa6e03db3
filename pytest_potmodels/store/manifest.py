"""`model_info.json`: what is in an entry, in a form that people and other tools can read."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pytest_potmodels.artifacts import Format, Kind, StoredFile, StoredModel
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.identifiers import ModelId

SCHEMA = 1


def write(stored: StoredModel, target: Path) -> None:
    """Write the manifest of `stored` to `target`, whole or not at all."""
    write_atomically(target, json.dumps(as_json(stored), indent=2, ensure_ascii=False) + "\n")


def read(path: Path, folder: Path) -> StoredModel:
    """Read a manifest; `folder` is where the model's files lie unless the manifest says.

    Raises:
        FileNotFoundError: there is none.
        DigestMismatchError: it is not a whole manifest of this format.
    """
    text = path.read_text(encoding="utf-8", errors="replace")
    try:
        return _from_json(json.loads(text), folder)
    except (ValueError, KeyError, TypeError) as error:
        raise DigestMismatchError(
            f"{path} is no readable manifest ({type(error).__name__}: {error}).",
            expected=f"a manifest of schema {SCHEMA}",
            found="damaged or foreign JSON",
            remedy=f"potmodels remove {folder.name}",
        ) from error


def as_json(stored: StoredModel) -> dict[str, Any]:
    """The manifest as plain values."""
    return {
        "schema": SCHEMA,
        "source": stored.id.source,
        "name": stored.id.name,
        "aliases": list(stored.aliases),
        "revision": stored.revision,
        "refs": list(stored.refs),
        "kind": stored.kind,
        "format": stored.format,
        "architecture": stored.architecture,
        "origin": stored.origin,
        "license": stored.license,
        "gated": stored.gated,
        "digest": stored.digest,
        "in_place": str(stored.path) if stored.in_place else None,
        "files": [
            {"path": file.path, "size": file.size, "sha256": file.sha256, "url": file.url}
            for file in stored.files
        ],
    }


def write_atomically(target: Path, text: str) -> None:
    """Replace `target` by a file with `text`, flushed to disk before it becomes visible."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=".new-")
    with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if target.exists():
        # Windows refuses to replace a read-only file.
        target.chmod(0o644)
    Path(temporary).replace(target)
    target.chmod(0o644)


def _from_json(data: Mapping[str, Any], folder: Path) -> StoredModel:
    if data["schema"] != SCHEMA:
        raise ValueError(f"schema {data['schema']!r}, this version reads {SCHEMA}")
    files = tuple(
        StoredFile(path=_inside(f["path"]), size=int(f["size"]), sha256=f["sha256"], url=f["url"])
        for f in data["files"]
    )
    return StoredModel(
        id=ModelId(data["source"], data["name"], None),
        path=Path(data["in_place"]) if data["in_place"] else folder,
        kind=_one_of(get_args(Kind), data["kind"]),
        format=_one_of(get_args(Format), data["format"]),
        files=files,
        revision=data["revision"],
        refs=tuple(data["refs"]),
        aliases=tuple(data["aliases"]),
        architecture=data["architecture"],
        origin=data["origin"],
        license=data["license"],
        gated=bool(data["gated"]),
        in_place=bool(data["in_place"]),
    )


def _inside(path: str) -> str:
    """A restored cache is not trusted: a path that leaves the folder makes the manifest bad."""
    parts = path.split("/")
    if not path or ".." in parts or "" in parts or "\\" in path or ":" in path:
        raise ValueError(f"path {path!r} leaves the entry")
    return path


def _one_of(allowed: tuple[str, ...], value: str) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value
