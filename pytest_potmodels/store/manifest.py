"""`model_info.json`: what is in an entry, in a form that people and other tools can read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pytest_potmodels.artifacts import Format, Kind, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.identifiers import SOURCES, ModelId
from pytest_potmodels.store import disk, plain_json
from pytest_potmodels.store.layout import MANIFEST
from pytest_potmodels.store.plain_json import one_of, optional, typed, words

SCHEMA = 1


def write(stored: StoredModel, target: Path) -> None:
    """Write the manifest of `stored` to `target`, whole or not at all."""
    text = json.dumps(as_json(stored), indent=2, ensure_ascii=False) + "\n"
    disk.write_whole(target, text, mode=disk.READ_ONLY)


def read(path: Path) -> StoredModel:
    """Read the manifest of an entry: its files lie beside it.

    Raises:
        FileNotFoundError: there is none.
        DigestMismatchError: it is not a whole manifest of this format.
        StoreError: this user may not read it.
    """
    stored = _read(path)
    if stored.in_place:
        raise _damaged(path, "it points to a folder outside the cache")
    return stored


def read_record(path: Path) -> StoredModel:
    """Read the record of a model that is used where it lies; raises like `read`."""
    stored = _read(path)
    if not stored.in_place:
        raise _damaged(path, "it names no folder")
    return stored


def absent(folder: Path) -> DigestMismatchError:
    """The error for a folder among the entries that has no manifest."""
    return _damaged(folder / MANIFEST, "it is absent")


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
        "files": plain_json.files_as_json(stored.files),
    }


def _read(path: Path) -> StoredModel:
    try:
        return from_json(plain_json.load(path), path.parent)
    except FileNotFoundError:
        raise
    except PermissionError as error:
        raise StoreError(
            f"{path} cannot be read: {error.strerror}.",
            remedy="make it readable, or choose another folder with --pot-cache-dir",
        ) from error
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(path, f"{type(error).__name__}: {error}") from error


def _damaged(path: Path, why: str) -> DigestMismatchError:
    return DigestMismatchError(
        f"{path} is no readable manifest ({why}).",
        expected=f"a manifest of schema {SCHEMA}",
        found="damaged or foreign JSON",
        remedy=f"potmodels remove {path.parent.name}",
    )


def from_json(data: Any, folder: Path) -> StoredModel:
    """The model that a document describes, with its files in `folder`.

    Raises:
        KeyError, TypeError, ValueError: it is no whole manifest of this format.
    """
    facts = typed(dict, data)
    if facts["schema"] != SCHEMA:
        raise ValueError(f"schema {facts['schema']!r}, this version reads {SCHEMA}")
    in_place = optional(facts["in_place"])
    stored = StoredModel(
        id=ModelId(one_of(SOURCES, facts["source"]), typed(str, facts["name"])),
        path=Path(in_place) if in_place else folder,
        kind=one_of(get_args(Kind), facts["kind"]),
        format=one_of(get_args(Format), facts["format"]),
        files=plain_json.files(facts["files"]),
        revision=optional(facts["revision"]),
        refs=words(facts["refs"]),
        aliases=words(facts["aliases"]),
        architecture=optional(facts["architecture"]),
        origin=typed(str, facts["origin"]),
        license=typed(str, facts["license"]),
        gated=typed(bool, facts["gated"]),
        in_place=bool(in_place),
    )
    _check_digest(stored, facts)
    return stored


def _check_digest(stored: StoredModel, facts: Mapping[str, Any]) -> None:
    if stored.digest != facts["digest"]:
        raise ValueError(f"the digest over its files is {stored.digest}, not {facts['digest']!r}")
