"""JSON that nobody vouches for: exact types, paths that stay inside, a size that fits in memory.

A cache may be restored from an archive, or shared with people one does not know.
"""

import json
import re
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.store.layout import MANIFEST

T = TypeVar("T")

#: A manifest of 50,000 files is smaller; its values take twenty times as much in memory.
LARGEST = 16 * 1024 * 1024

_SHA256 = re.compile(r"[0-9a-f]{64}")
#: Separators, drives and streams of Windows; control characters.
_FORBIDDEN = re.compile(r"[\\:\x00-\x1f\x7f]")


def load(path: Path) -> Any:
    """Read a JSON document from a plain file in a plain folder.

    Raises:
        FileNotFoundError: there is none.
        OSError: it cannot be read.
        ValueError: it is a link, no plain file, too large, or no JSON.
        RecursionError: it is nested too deeply.
    """
    if path.is_symlink() or path.parent.is_symlink():
        # An admission leaves no links; what a link leads to is not this cache's.
        raise ValueError("it is reached through a symbolic link")
    facts = path.stat()
    if not stat.S_ISREG(facts.st_mode):
        raise ValueError("it is no plain file")  # A pipe would never end.
    if facts.st_size > LARGEST:
        raise ValueError(f"it has {facts.st_size} bytes, more than {LARGEST}")
    return parsed(path.read_bytes())


def parsed(data: bytes) -> Any:
    """A JSON document from bytes that are not too many; raises ValueError and RecursionError."""
    if len(data) > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    return json.loads(data.decode(), parse_constant=_refuse)


def typed(kind: type[T], value: Any) -> T:
    """The value, if it is of exactly this type.

    Raises:
        TypeError: it is not.
    """
    if type(value) is not kind:  # JSON's types are exact, and a bool is no size
        raise TypeError(f"expected {kind.__name__}, found {value!r:.80}")
    return value


def optional(value: Any) -> str | None:
    """The value, if it is text or null; raises like `typed`."""
    return None if value is None else typed(str, value)


def words(values: Any) -> tuple[str, ...]:
    """The values, if they are a list of texts; raises like `typed`."""
    return tuple(typed(str, value) for value in typed(list, values))


def one_of(allowed: tuple[str, ...], value: Any) -> Any:
    """The value, if it is among these.

    Raises:
        ValueError: it is not.
    """
    if value not in allowed:
        raise ValueError(f"{value!r} is none of {', '.join(allowed)}")
    return value


def files(values: Any) -> tuple[StoredFile, ...]:
    """The files that a manifest lists.

    Raises:
        KeyError, TypeError, ValueError: a fact is absent, of the wrong type, or cannot be; a path
            leaves the folder; a file is listed twice.
    """
    listed = tuple(_file(each) for each in typed(list, values))
    if len({file.path for file in listed}) < len(listed):
        raise ValueError("a file is listed twice")
    return listed


def files_as_json(listed: Iterable[StoredFile]) -> list[dict[str, Any]]:
    """The files as plain values, as `files` reads them."""
    return [
        {"path": file.path, "size": file.size, "sha256": file.sha256, "url": file.url}
        for file in listed
    ]


def inside(path: str) -> str:
    """The path, if it names a file in a folder with a manifest, on every system.

    Raises:
        ValueError: it leaves the folder, or is the manifest itself.
    """
    parts = path.split("/")
    if {"", ".", ".."} & set(parts) or _FORBIDDEN.search(path) or path.casefold() == MANIFEST:
        raise ValueError(f"path {path!r} is no file of the entry")
    return path


def _file(data: Any) -> StoredFile:
    facts = typed(dict, data)
    sha256, size = typed(str, facts["sha256"]), typed(int, facts["size"])
    if not _SHA256.fullmatch(sha256) or size < 0:
        raise ValueError(f"sha256 {sha256!r}, size {size}")
    return StoredFile(inside(typed(str, facts["path"])), size, sha256, typed(str, facts["url"]))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")
