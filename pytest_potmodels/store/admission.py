"""Stage -> verify -> flush -> rename: a model becomes visible whole or not at all."""

import contextlib
import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.store import manifest
from pytest_potmodels.store.checking import Damage
from pytest_potmodels.store.layout import MANIFEST, Layout

#: Brings files into a folder, each verified against its promised digests.
Fetch = Callable[[Sequence[RemoteFile], Path], tuple[StoredFile, ...]]


def admit(resolved: ResolvedModel, name: str, layout: Layout, fetch: Fetch) -> StoredModel:
    """Bring a resolved model into the entry `name`. The caller holds the entry's lock."""
    # One stage per content: what a killed run left of another revision is not resumed into this.
    stage = layout.stage(f"{name}@{(resolved.revision or 'unpinned')[:16]}")
    stage.mkdir(parents=True, exist_ok=True)
    stored = _described(resolved, stage, fetch(resolved.files, stage))
    _drop_strangers(stored)
    manifest.write(stored, stage / MANIFEST)
    _seal(stage)
    target = layout.entry(name)
    replaced = set_aside(target, layout) if target.exists() else None
    _rename(stage, target)
    if replaced is not None and _is_whole(replaced):
        delete(replaced)
    return replace(stored, path=target, fresh=True)


def replace_files(stored: StoredModel, bad: Sequence[Damage], layout: Layout, fetch: Fetch) -> None:
    """Fetch damaged files again, then swap them in one by one; the bad bytes are kept aside."""
    from_upstream = {file.path: file for file in _as_remote(bad)}
    stage = layout.stage(f"{stored.path.name}@mend")
    stage.mkdir(parents=True, exist_ok=True)
    fetch(tuple(from_upstream.values()), stage)
    for path in from_upstream:
        good, target = stage / path, stored.path / path
        _flush(good)
        good.chmod(0o444)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() or target.is_symlink():
            set_aside(target, layout)
        good.replace(target)
    shutil.rmtree(stage, ignore_errors=True)


def set_aside(path: Path, layout: Layout) -> Path:
    """Move a bad file or entry into quarantine."""
    layout.quarantine.mkdir(parents=True, exist_ok=True)
    aside = layout.quarantine / f"{path.name}-{time.time_ns():x}"
    path.rename(aside)
    return aside


def delete(path: Path) -> None:
    """Delete an entry's folder, its read-only files too."""
    for file in path.rglob("*"):
        # Windows refuses to delete read-only files.
        with contextlib.suppress(OSError):
            file.chmod(0o755 if file.is_dir() else 0o644)
    shutil.rmtree(path)


def _is_whole(folder: Path) -> bool:
    """Whether a replaced entry was fine; what was damaged stays in quarantine as evidence."""
    try:
        manifest.read(folder / MANIFEST, folder)
    except (OSError, DigestMismatchError):
        return False
    return True


def _as_remote(bad: Sequence[Damage]) -> list[RemoteFile]:
    return [
        RemoteFile(
            path=PurePosixPath(damage.file.path),
            url=damage.file.url,
            size=damage.file.size,
            digests=(Digest("sha256", damage.file.sha256),),
        )
        for damage in bad
    ]


def _described(resolved: ResolvedModel, folder: Path, files: tuple[StoredFile, ...]) -> StoredModel:
    return StoredModel(
        id=replace(resolved.id, revision=None),
        path=folder,
        kind=resolved.kind,
        format=resolved.format,
        files=tuple(sorted(files, key=lambda file: file.path)),
        revision=resolved.revision,
        refs=(resolved.id.revision or "",),
        aliases=resolved.aliases,
        architecture=resolved.architecture,
        origin=resolved.origin,
        license=resolved.license,
        gated=resolved.gated,
    )


def _drop_strangers(stored: StoredModel) -> None:
    """Remove from the stage what the manifest does not name."""
    named = {stored.path / file.path for file in stored.files}
    for path in stored.path.rglob("*"):
        if path.is_file() and path not in named:
            path.unlink()


def _seal(stage: Path) -> None:
    """Flush to disk and make read-only: a rename may outrun the data in a power cut."""
    for path in stage.rglob("*"):
        if path.is_file():
            _flush(path)
            path.chmod(0o444)
    _flush_folder(stage)


def _flush(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    if os.name == "nt":
        return  # Windows opens no folders.
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _rename(stage: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(10):
        try:
            stage.rename(target)
        except PermissionError:
            # Windows: a virus scanner may hold a file that was just written.
            if os.name != "nt" or attempt == 9:  # noqa: PLR2004
                raise
            time.sleep(0.1)
        else:
            break
    _flush_folder(target.parent)
