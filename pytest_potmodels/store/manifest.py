"""`model_info.json`: what is in an entry, in a form that people and other tools can read."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pytest_potmodels.artifacts import Format, Kind, StoredFile, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.identifiers import SOURCES, ModelId
from pytest_potmodels.store import disk
from pytest_potmodels.store.layout import MANIFEST

T = TypeVar("T")

SCHEMA = 1

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Separators, drives and streams of Windows; control characters.
_FORBIDDEN = re.compile(r"[\\:\x00-\x1f\x7f]")


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
        "files": [
            {"path": file.path, "size": file.size, "sha256": file.sha256, "url": file.url}
            for file in stored.files
        ],
    }


def _read(path: Path) -> StoredModel:
    try:
        if path.is_symlink() or path.parent.is_symlink():
            # An admission leaves no links; what a link leads to is not this cache's.
            raise _damaged(path, "it is reached through a symbolic link")
        return _from_json(json.loads(path.read_text(encoding="utf-8")), path.parent)
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


def _from_json(data: Any, folder: Path) -> StoredModel:
    facts = _typed(dict, data)
    if facts["schema"] != SCHEMA:
        raise ValueError(f"schema {facts['schema']!r}, this version reads {SCHEMA}")
    in_place = _optional(facts["in_place"])
    stored = StoredModel(
        id=ModelId(_one_of(SOURCES, facts["source"]), _typed(str, facts["name"])),
        path=Path(in_place) if in_place else folder,
        kind=_one_of(get_args(Kind), facts["kind"]),
        format=_one_of(get_args(Format), facts["format"]),
        files=tuple(_file(each) for each in _typed(list, facts["files"])),
        revision=_optional(facts["revision"]),
        refs=_words(facts["refs"]),
        aliases=_words(facts["aliases"]),
        architecture=_optional(facts["architecture"]),
        origin=_typed(str, facts["origin"]),
        license=_typed(str, facts["license"]),
        gated=_typed(bool, facts["gated"]),
        in_place=bool(in_place),
    )
    _check_files(stored, facts)
    return stored


def _check_files(stored: StoredModel, facts: Mapping[str, Any]) -> None:
    if len({file.path for file in stored.files}) < len(stored.files):
        raise ValueError("a file is listed twice")
    if stored.digest != facts["digest"]:
        raise ValueError(f"the digest over its files is {stored.digest}, not {facts['digest']!r}")


def _file(data: Any) -> StoredFile:
    facts = _typed(dict, data)
    sha256, size = _typed(str, facts["sha256"]), _typed(int, facts["size"])
    if not _SHA256.fullmatch(sha256) or size < 0:
        raise ValueError(f"sha256 {sha256!r}, size {size}")
    return StoredFile(_inside(_typed(str, facts["path"])), size, sha256, _typed(str, facts["url"]))


def _inside(path: str) -> str:
    """A restored cache is not trusted: a path that leaves the folder makes the manifest bad."""
    parts = path.split("/")
    if {"", ".", ".."} & set(parts) or _FORBIDDEN.search(path) or path.casefold() == MANIFEST:
        raise ValueError(f"path {path!r} is no file of the entry")
    return path


def _words(values: Any) -> tuple[str, ...]:
    return tuple(_typed(str, value) for value in _typed(list, values))


def _optional(value: Any) -> str | None:
    return None if value is None else _typed(str, value)


def _typed(kind: type[T], value: Any) -> T:
    if type(value) is not kind:  # JSON's types are exact, and a bool is no size
        raise TypeError(f"expected {kind.__name__}, found {value!r:.80}")
    return value


def _one_of(allowed: tuple[str, ...], value: Any) -> Any:
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value
