"""The manifest of a derived folder: what it was made from, with which versions."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.identifiers import SOURCES
from pytest_potmodels.store import disk, plain_json
from pytest_potmodels.store.layout import MANIFEST
from pytest_potmodels.store.plain_json import one_of, optional, typed

SCHEMA = 1

#: As the manifest is called, so no folder may be: a models folder would take all of
#: `derived/` for an entry. Windows drops a dot at the end.
_KEY = re.compile(rf"(?!{re.escape(MANIFEST)}$)[a-z0-9_-][a-z0-9._-]{{0,119}}(?<!\.)")


@dataclass(frozen=True)
class MadeFrom:
    """The model that something was made from; `digest` is that of its files."""

    source: str
    name: str
    revision: str | None
    digest: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


@dataclass(frozen=True)
class DerivedModel:
    """A folder that was made from a stored model, and all its manifest says."""

    key: str
    path: Path
    #: The manifest itself is not among them.
    files: tuple[StoredFile, ...]
    #: Plain JSON values that the maker returned.
    facts: Mapping[str, Any]
    made_from: MadeFrom
    versions: Mapping[str, str]

    def __str__(self) -> str:
        return f"{self.key} (made from {self.made_from})"

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(file.size for file in self.files)

    @property
    def in_place(self) -> bool:
        """Never: all of it is ours."""
        return False


def check_key(key: str) -> None:
    """Pass if a derived folder may have this name, on every system.

    Raises:
        ValueError: it may not.
    """
    if not _KEY.fullmatch(key):
        raise ValueError(
            f"{key!r} is no key of a derived folder: a-z, 0-9, '.', '_' and '-', at most 120 of "
            f"them, no dot at the ends, and not {MANIFEST}"
        )


def as_read(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Facts as they are read back: JSON knows no tuples, and no keys that are numbers.

    Raises:
        TypeError, ValueError: they are no plain JSON.
    """
    return typed(dict, json.loads(json.dumps(dict(facts), allow_nan=False)))


def write(derived: DerivedModel, target: Path) -> None:
    """Write the manifest of `derived` to `target`, whole or not at all.

    Raises:
        OSError: the disk does not take it.
    """
    text = json.dumps(as_json(derived), indent=2, ensure_ascii=False) + "\n"
    disk.write_whole(target, text, mode=disk.READ_ONLY)


def read(folder: Path) -> DerivedModel:
    """Read the manifest of a derived folder.

    Raises:
        FileNotFoundError: there is none.
        ValueError: it cannot be read, or is not a whole manifest of this folder and format.
    """
    try:
        return _from_json(plain_json.load(folder / MANIFEST), folder)
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"{type(error).__name__}: {error}") from error


def as_json(derived: DerivedModel) -> dict[str, Any]:
    """The manifest as plain values."""
    made_from = derived.made_from
    said = {
        "schema": SCHEMA,
        "key": derived.key,
        "made_from": {
            "source": made_from.source,
            "name": made_from.name,
            "revision": made_from.revision,
            "digest": made_from.digest,
        },
        "versions": dict(derived.versions),
        "facts": dict(derived.facts),
        "files": plain_json.files_as_json(derived.files),
    }
    return {**said, "digest": _digest(said)}


def _digest(said: Mapping[str, Any]) -> str:
    """One sha256 over all that a manifest says.

    Over the facts, too: an offset with a flipped bit loads wrong weights from right files.
    """
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _from_json(data: Any, folder: Path) -> DerivedModel:
    said = dict(typed(dict, data))
    digest = said.pop("digest")
    if (schema := said["schema"]) != SCHEMA:
        raise ValueError(f"schema {schema!r}, this version reads {SCHEMA}")
    if said["key"] != folder.name:
        raise ValueError(f"it is of {said['key']!r}")
    if digest != (found := _digest(said)):
        raise ValueError(f"the digest over it is {found}, not {digest!r:.80}")
    return DerivedModel(
        key=folder.name,
        path=folder,
        files=plain_json.files(said["files"]),
        facts=typed(dict, said["facts"]),
        made_from=_made_from(typed(dict, said["made_from"])),
        versions={name: typed(str, each) for name, each in typed(dict, said["versions"]).items()},
    )


def _made_from(data: Mapping[str, Any]) -> MadeFrom:
    return MadeFrom(
        source=one_of(SOURCES, data["source"]),
        name=typed(str, data["name"]),
        revision=optional(data["revision"]),
        digest=typed(str, data["digest"]),
    )
