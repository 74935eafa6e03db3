"""Prove in microseconds that a file was not touched since it was hashed.

A signature is (size, mtime, ctime, inode) in the file system's finest unit. A same-size edit
with a forged mtime still moves ctime. Signatures are this machine's own and best effort: where
they cannot be kept, files are hashed again.
"""

import contextlib
import json
from pathlib import Path

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store.manifest import write_atomically

Signature = tuple[int, int, int, int]


def signature(path: Path) -> Signature:
    """The stat signature of a file.

    Raises:
        OSError: there is no such file.
    """
    facts = path.stat()
    return (facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_ino)


def of(stored: StoredModel) -> dict[str, Signature]:
    """The signatures of a model's files as they are now."""
    return {file.path: signature(stored.path / file.path) for file in stored.files}


def read(record: Path) -> dict[str, Signature]:
    """The signatures on record, by path; empty when there is no readable record."""
    try:
        data = json.loads(record.read_text(encoding="utf-8"))
        return {path: _four(values) for path, values in data.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write(record: Path, signatures: dict[str, Signature]) -> None:
    """Keep signatures; a read-only cache keeps none."""
    with contextlib.suppress(OSError):
        write_atomically(record, json.dumps(signatures))


def _four(values: list[int]) -> Signature:
    size, mtime, ctime, inode = values
    return (int(size), int(mtime), int(ctime), int(inode))
