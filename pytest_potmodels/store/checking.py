"""Are the bytes of a stored model still the bytes that were admitted?"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.store import signatures
from pytest_potmodels.store.signatures import Signature

ABSENT = "no such file"


@dataclass(frozen=True)
class Damage:
    """A file that is not what the manifest says."""

    file: StoredFile
    found: str

    def __str__(self) -> str:
        return f"{self.file.path}: expected sha256 {self.file.sha256}, found {self.found}"


def damages(stored: StoredModel, record: Path) -> tuple[Damage, ...]:
    """Check by stat signature, and re-hash only the files whose signature changed."""
    known = signatures.read(record)
    return _check(stored, record, lambda file, now: known.get(file.path) == now)


def damages_by_digest(stored: StoredModel, record: Path) -> tuple[Damage, ...]:
    """Check every byte."""
    return _check(stored, record, lambda _file, _now: False)


def _check(
    stored: StoredModel, record: Path, unchanged: Callable[[StoredFile, Signature], bool]
) -> tuple[Damage, ...]:
    good: dict[str, Signature] = {}
    bad: list[Damage] = []
    hashed = False
    for file in stored.files:
        path = stored.path / file.path
        now = _signature(path, stored)
        if now is not None and unchanged(file, now):
            good[file.path] = now
            continue
        hashed = True
        found = _digest(path, now)
        if found == file.sha256 and now is not None:
            good[file.path] = now
        else:
            bad.append(Damage(file, found))
    if hashed:
        signatures.write(record, good)
    return tuple(bad)


def _signature(path: Path, stored: StoredModel) -> Signature | None:
    # A link in an entry was not put there by an admission. In place, links are the owner's affair.
    if path.is_symlink() and not stored.in_place:
        return None
    try:
        return signatures.signature(path)
    except OSError:
        return None


def _digest(path: Path, signature: Signature | None) -> str:
    if signature is None:
        return "a symbolic link" if path.is_symlink() else ABSENT
    return hash_file(path).sha256


def mismatch(stored: StoredModel, damage: Damage, remedy: str) -> DigestMismatchError:
    """The error for damage that could not be mended."""
    return DigestMismatchError(
        f"{stored.id}: digest mismatch in {stored.path / damage.file.path}: "
        f"expected sha256 {damage.file.sha256}, found {damage.found}.",
        expected=damage.file.sha256,
        found=damage.found,
        remedy=remedy,
    )
