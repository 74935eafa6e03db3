"""Are the bytes in a folder of the cache still the bytes that were admitted?"""

import os
import stat
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.store import signatures
from pytest_potmodels.store.signatures import Recorded, Signature

ABSENT = "no such file"


@dataclass(frozen=True)
class Damage:
    """A file that is not what the manifest says."""

    file: StoredFile
    found: str

    def __str__(self) -> str:
        return f"{self.file.path}: expected sha256 {self.file.sha256}, found {self.found}"


def damages(stored: Recorded, record: Path) -> tuple[Damage, ...]:
    """Check by stat signature, and re-hash only the files whose signature changed."""
    known = signatures.read(record)
    return _check(stored, record, lambda file, now: known.get(file.path) == now)


def damages_by_digest(stored: Recorded, record: Path) -> tuple[Damage, ...]:
    """Check every byte."""
    return _check(stored, record, lambda _file, _now: False)


def _check(
    stored: Recorded, record: Path, unchanged: Callable[[StoredFile, Signature], bool]
) -> tuple[Damage, ...]:
    good: dict[str, Signature] = {}
    bad: list[Damage] = []
    hashed = False
    for file in stored.files:
        looked_at = time.time_ns()
        now, trouble = _look_at(stored, file)
        if now is not None and unchanged(file, now):
            good[file.path] = now
            continue
        hashed = True
        found = trouble or _digest(stored.path / file.path)
        if found != file.sha256:
            bad.append(Damage(file, found))
        elif now is not None and signatures.is_settled(now, at_ns=looked_at):
            good[file.path] = now
    if hashed:
        signatures.write(record, good)
    return tuple(bad)


def _look_at(stored: Recorded, file: StoredFile) -> tuple[Signature | None, str]:
    """The file's signature, or what is there in its place."""
    # Strings and os, because this runs for each file of each model that a test asks for, and
    # paths cost ten times as much.
    path = os.path.join(stored.path, file.path)  # noqa: PTH118
    try:
        # A link in an entry was not put there by an admission. In place, links are the owner's
        # affair.
        if not stored.in_place and _is_linked(stored.path, file.path):
            return None, "a symbolic link"
        facts = os.stat(path)  # noqa: PTH116
    except FileNotFoundError:
        return None, ABSENT
    except OSError as error:
        return None, _unreadable(error)
    if not stat.S_ISREG(facts.st_mode):
        return None, "no plain file"  # A pipe would never end.
    return signatures.of_facts(facts), ""


def _is_linked(folder: Path, inside: str) -> bool:
    """Whether the folder, the file or a folder between them is a link."""
    place = str(folder)
    for part in ("", *inside.split("/")):
        place = os.path.join(place, part) if part else place  # noqa: PTH118
        if stat.S_ISLNK(os.lstat(place).st_mode):
            return True
    return False


def _digest(path: Path) -> str:
    try:
        return hash_file(path).sha256
    except OSError as error:
        return _unreadable(error)


def _unreadable(error: OSError) -> str:
    return f"a file that cannot be read ({error.strerror})"


def mismatch(stored: StoredModel, damage: Damage, remedy: str = "") -> DigestMismatchError:
    """The error for damage that is not mended."""
    return DigestMismatchError(
        f"{stored.id}: digest mismatch in {stored.path / damage.file.path}: "
        f"expected sha256 {damage.file.sha256}, found {damage.found}.",
        expected=damage.file.sha256,
        found=damage.found,
        remedy=remedy or f"potmodels download --force {stored.id}",
    )
