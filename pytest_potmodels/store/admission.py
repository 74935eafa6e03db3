"""Stage -> verify -> flush -> rename: a model becomes visible whole or not at all."""

from dataclasses import replace
from pathlib import Path

from pytest_potmodels.artifacts import ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.store import disk, manifest
from pytest_potmodels.store.checking import damages
from pytest_potmodels.store.entries import refs_of
from pytest_potmodels.store.layout import MANIFEST, Layout, short_hash
from pytest_potmodels.store.mending import Fetch, open_stage, set_aside


def admit(
    resolved: ResolvedModel, name: str, layout: Layout, fetch: Fetch, *, known: StoredModel | None
) -> StoredModel:
    """Bring a resolved model into the entry `name`. The caller holds the entry's lock.

    `known` is the entry of that name that is replaced, if its manifest is readable: its names
    go on.

    Raises:
        DigestMismatchError: what lies in the stage is not what was fetched into it.
        StoreError: a file of the model has the manifest's name.
    """
    _refuse_second_manifest(resolved)
    stage = open_stage(layout, stage_name(name, resolved))
    stored = _described(resolved, stage, fetch(resolved.files, stage), known)
    _check_sizes(stored)
    _drop_strangers(stored)
    manifest.write(stored, stage / MANIFEST)
    disk.seal(stage)
    target = layout.entry(name)
    _publish(stage, target, layout, known)
    return replace(stored, path=target, fresh=True)


def stage_name(name: str, resolved: ResolvedModel) -> str:
    """The folder in which a model arrives that is to be the entry `name`."""
    # One per content: what a killed run left of another revision is not resumed into this.
    return f"{name}@{short_hash(resolved.revision or '')}"


def _publish(stage: Path, target: Path, layout: Layout, known: StoredModel | None) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    replaced = set_aside(target, layout) if target.is_symlink() or target.exists() else None
    try:
        disk.move(stage, target)
    except OSError:
        if replaced is not None:
            disk.move(replaced, target)
        raise
    disk.flush_folder(target.parent)
    # What was damaged stays in quarantine, as evidence.
    if (
        replaced
        and known
        and not damages(replace(known, path=replaced), layout.signatures(target.name))
    ):
        disk.delete(replaced)


def _described(
    resolved: ResolvedModel,
    folder: Path,
    files: tuple[StoredFile, ...],
    known: StoredModel | None,
) -> StoredModel:
    name = known.id.name if known else resolved.id.name
    names = {resolved.id.name, *resolved.aliases, *(known.aliases if known else ())} - {name}
    refs = {*refs_of(resolved), *(known.refs if known else ())}
    return StoredModel(
        id=replace(resolved.id, name=name, revision=None),
        path=folder,
        kind=resolved.kind,
        format=resolved.format,
        files=tuple(sorted(files, key=lambda file: file.path)),
        revision=resolved.revision,
        refs=tuple(sorted(refs)),
        aliases=tuple(sorted(names)),
        architecture=resolved.architecture,
        origin=resolved.origin,
        license=resolved.license,
        gated=resolved.gated,
    )


def _refuse_second_manifest(resolved: ResolvedModel) -> None:
    for file in resolved.files:
        if str(file.path).casefold() == MANIFEST:
            raise StoreError(
                f"{resolved.id}: a file of the model is called {file.path}, which is the name of "
                "the cache's own manifest."
            )


def _check_sizes(stored: StoredModel) -> None:
    # Digests are of the bytes that passed by. Where locks do not work, a second process may have
    # written to the same file meanwhile.
    for file in stored.files:
        path = stored.path / file.path
        found = f"{path.stat().st_size} bytes" if disk.is_plain(path) else "no plain file"
        if found != f"{file.size} bytes":
            raise DigestMismatchError(
                f"{path} is not what was written to it: expected {file.size} bytes, found {found}.",
                expected=f"{file.size} bytes",
                found=found,
                remedy="do locks work on that file system? If not, choose another --pot-cache-dir",
            )


def _drop_strangers(stored: StoredModel) -> None:
    """Remove from the stage what the manifest does not name."""
    named = {stored.path / file.path for file in stored.files}
    folders = {parent for path in named for parent in path.parents}
    for path in sorted(stored.path.rglob("*"), reverse=True):
        is_folder = path.is_dir() and not path.is_symlink()
        if is_folder and path not in folders:
            path.rmdir()
        elif not is_folder and path not in named:
            path.unlink()
