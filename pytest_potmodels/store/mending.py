"""Bad files of an entry make room for good ones; what was bad is kept as evidence."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath

from pytest_potmodels.artifacts import RemoteFile, StoredFile, StoredModel
from pytest_potmodels.digests import Digest
from pytest_potmodels.store import disk
from pytest_potmodels.store.checking import Damage
from pytest_potmodels.store.layout import Layout

#: Brings files into a folder, each verified against its promised digests.
Fetch = Callable[[Sequence[RemoteFile], Path], tuple[StoredFile, ...]]


def replace_files(
    stored: StoredModel, bad: Sequence[Damage], layout: Layout, fetch: Fetch
) -> tuple[StoredFile, ...]:
    """Fetch damaged files again and swap them in. The caller keeps other writers away."""
    stage = open_stage(layout, f"{stored.path.name}@mend")
    fetched = fetch([_as_remote(damage) for damage in bad], stage)
    disk.seal(stage)
    for damage in bad:
        target = stored.path / damage.file.path
        for place in _in_the_way(target, stored.path):
            set_aside(place, layout)
        target.parent.mkdir(parents=True, exist_ok=True)
        disk.move(stage / damage.file.path, target)
        disk.flush_folder(target.parent)
    disk.delete(stage)
    return fetched


def set_aside(path: Path, layout: Layout) -> Path:
    """Move a bad file, entry or derived folder into quarantine."""
    is_derived = path.is_relative_to(layout.derived)
    base = layout.derived if is_derived else layout.models
    entry, *inner = path.relative_to(base).parts
    aside = layout.quarantine.joinpath(f"{entry}-{time.time_ns():x}", *inner)
    aside.parent.mkdir(parents=True, exist_ok=True)
    disk.move(path, aside)
    return aside


def open_stage(layout: Layout, name: str) -> Path:
    """The folder for a model on its way in, with what a killed run left of plain files."""
    stage = layout.stage(name)
    if stage.is_symlink() or stage.is_file():
        stage.unlink()  # Through a link, the entry itself would become that link.
    stage.mkdir(parents=True, exist_ok=True)
    for path in stage.rglob("*"):
        if not disk.is_plain(path) and (path.is_symlink() or not path.is_dir()):
            path.unlink()
    return stage


def _in_the_way(target: Path, folder: Path) -> list[Path]:
    """The bad file, or what stands in place of one of its folders, the outermost."""
    inner = [parent for parent in target.parents if parent.is_relative_to(folder)]
    for parent in reversed(inner):
        if parent != folder and (parent.is_symlink() or parent.is_file()):
            return [parent]
    return [target] if target.is_symlink() or target.exists() else []


def _as_remote(damage: Damage) -> RemoteFile:
    return RemoteFile(
        path=PurePosixPath(damage.file.path),
        url=damage.file.url,
        size=damage.file.size,
        digests=(Digest("sha256", damage.file.sha256),),
    )
