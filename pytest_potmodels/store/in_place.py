"""Models used where they lie (an installed package, a user's folder): digests, but no copy."""

import contextlib
import logging
from dataclasses import replace
from pathlib import Path

from pytest_potmodels.artifacts import ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.store import manifest, signatures
from pytest_potmodels.store.checking import damages
from pytest_potmodels.store.layout import Layout, in_place_name

_log = logging.getLogger(__name__)


def take(resolved: ResolvedModel, folder: Path, layout: Layout) -> StoredModel:
    """Record the digests of a folder's files, or find them unchanged since they were recorded.

    A file that changed makes a new version, which is reported once.
    """
    name = in_place_name(resolved.id, folder)
    record, marks = layout.in_place(name), layout.signatures(name)
    known = _known(record, folder, resolved)
    if known is not None and not damages(known, marks):
        return known
    taken = _hashed(resolved, folder)
    if known is not None:
        _log.warning(
            "%s changed on disk: digest %s is now %s", taken.id, known.digest, taken.digest
        )
    _keep(taken, record, marks)
    return taken


def _known(record: Path, folder: Path, resolved: ResolvedModel) -> StoredModel | None:
    try:
        known = manifest.read(record, folder)
    except (OSError, DigestMismatchError):
        return None
    same = [file.path for file in known.files] == sorted(str(file.path) for file in resolved.files)
    return replace(known, kind=resolved.kind) if same and known.path == folder else None


def _hashed(resolved: ResolvedModel, folder: Path) -> StoredModel:
    files = []
    for remote in sorted(resolved.files, key=lambda file: str(file.path)):
        hasher = hash_file(folder / remote.path)
        files.append(StoredFile(str(remote.path), hasher.size, hasher.sha256, remote.url))
    return StoredModel(
        id=resolved.id,
        path=folder,
        kind=resolved.kind,
        format=resolved.format,
        files=tuple(files),
        revision=resolved.revision,
        refs=("",),
        architecture=resolved.architecture,
        origin=resolved.origin,
        license=resolved.license,
        in_place=True,
    )


def _keep(taken: StoredModel, record: Path, marks: Path) -> None:
    # A read-only cache keeps nothing: the files are hashed again in the next process.
    with contextlib.suppress(OSError):
        manifest.write(taken, record)
        signatures.write(marks, signatures.of(taken))
