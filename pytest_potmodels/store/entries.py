"""The entries of a cache, read only: by folder, by model, under any of a model's names."""

import contextlib
import os
from pathlib import Path

from pytest_potmodels.artifacts import ResolvedModel, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.identifiers import DEFAULT_REVISIONS, ModelId
from pytest_potmodels.store import manifest
from pytest_potmodels.store.layout import (
    MANIFEST,
    Layout,
    entry_name,
    revision_suffix,
    short_hash,
    source_in,
)


class Entries:
    """What lies in the models folder, and the records of models used in place."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def read(self, name: str) -> StoredModel | None:
        """The entry in the folder of that name; None if there is no manifest.

        Raises:
            DigestMismatchError: its manifest is damaged, foreign or a link.
            StoreError: this user may not read it.
        """
        try:
            return manifest.read(self._layout.entry(name) / MANIFEST)
        except FileNotFoundError:
            return None

    def all(self) -> list[StoredModel]:
        """All readable entries, by folder name."""
        folders = sorted(path.parent.name for path in self._layout.models.glob("*/" + MANIFEST))
        found = [self._readable(name) for name in folders if self._is_an_entrys(name)]
        return [entry for entry in found if entry is not None]

    def in_place(self) -> list[StoredModel]:
        """The models that are used where they lie, as far as their records are readable."""
        found = []
        for record in sorted(self._layout.in_place("x").parent.glob("*.json")):
            with contextlib.suppress(DigestMismatchError, StoreError, FileNotFoundError):
                found.append(manifest.read_record(record))
        return found

    def damaged(self) -> list[str]:
        """Names of entries whose manifest is absent or cannot be read.

        Other folders are not ours: a project's own `models/` may hold anything, and there only
        what left a record when it came is ours.
        """
        names = sorted(path.name for path in self._layout.models.glob("*") if _is_folder(path))
        return [name for name in names if self._is_ours(name) and self._is_damaged(name)]

    def damage_of(self, name: str) -> DigestMismatchError | StoreError:
        """What is wrong with an entry that `damaged` names."""
        try:
            self.read(name)
        except (DigestMismatchError, StoreError) as error:
            return error
        return manifest.absent(self._layout.entry(name))

    def find(self, model_id: ModelId) -> StoredModel | None:
        """The entry of a model under any of its names, at the revision asked for.

        Raises:
            DigestMismatchError: there is none, but a damaged one that may be it.
            StoreError: this user may not read it.
        """
        direct = self._readable(entry_name(model_id))
        if direct is not None and is_of(direct, model_id):
            return direct
        for entry in (*self.all(), *self.in_place()):
            if is_of(entry, model_id):
                return entry
        for name in self.damaged():
            if _may_be_of(name, model_id):
                raise self.damage_of(name)
        return None

    def pinned(self, resolved: ResolvedModel) -> StoredModel | None:
        """The entry that the ref asked for is pinned to, under any name of the model."""
        ref = ref_of(resolved.id)
        return next((each for each in self._of(resolved) if ref in each.refs), None)

    def at_revision(self, resolved: ResolvedModel) -> StoredModel | None:
        """The entry with this revision's files, under any name of the model."""
        same = (each for each in self._of(resolved) if each.revision == resolved.revision)
        return next(same, None)

    def free_name(self, resolved: ResolvedModel) -> str:
        """The plain name; `@rev8` for a second revision; a hash where another model has it."""
        plain = entry_name(resolved.id, resolved.label)
        hashed = f"{plain}-{short_hash(resolved.id.name)}"
        base = plain if self._is_open_to(plain, resolved) else hashed
        revision = resolved.revision or ""
        for name in (base, base + revision_suffix(revision)):
            holder = self._readable(name)
            if holder is None or (shares_name(holder, resolved) and holder.revision == revision):
                return name
        return f"{base}@{short_hash(revision)}"

    def _is_open_to(self, name: str, resolved: ResolvedModel) -> bool:
        if os.path.lexists(self._layout.entry(name)) and not self._is_ours(name):
            return False
        # Names that differ only in case are one folder on macOS and Windows.
        names = [path.name for path in self._layout.models.glob("*")]
        if any(each != name and each.casefold() == name.casefold() for each in names):
            return False
        holder = self._readable(name)
        return holder is None or shares_name(holder, resolved)

    def _of(self, resolved: ResolvedModel) -> list[StoredModel]:
        return [entry for entry in self.all() if shares_name(entry, resolved)]

    def _readable(self, name: str) -> StoredModel | None:
        with contextlib.suppress(DigestMismatchError, StoreError):
            return self.read(name)
        return None

    def _is_damaged(self, name: str) -> bool:
        # Another process may move the folder away at any moment, or put another one in its place.
        folder = self._layout.entry(name)
        before = _inode(folder)
        return self._readable(name) is None and before is not None and before == _inode(folder)

    def _is_an_entrys(self, name: str) -> bool:
        # In a models folder, what was made from models lies among the entries.
        return self._layout.entry(name) not in (self._layout.derived, self._layout.machine)

    def _is_ours(self, name: str) -> bool:
        if not self._is_an_entrys(name):
            return False
        if not self._layout.is_all_ours():
            records = self._layout.came(name), self._layout.signatures(name)
            return any(each.exists() for each in records) or self._readable(name) is not None
        return bool(source_in(name)) or (self._layout.entry(name) / MANIFEST).exists()


def ref_of(model_id: ModelId) -> str:
    """What a revision is called in `refs`: "" for the default, also where it was named."""
    revision = model_id.revision or ""
    return "" if revision == DEFAULT_REVISIONS.get(model_id.source) else revision


def refs_of(resolved: ResolvedModel) -> set[str]:
    """The ref that was asked for; an immutable revision is none."""
    return {ref_of(resolved.id)} - {resolved.revision}


def is_of(entry: StoredModel, model_id: ModelId) -> bool:
    """Whether an entry is what an id asks for."""
    if entry.id.source != model_id.source or model_id.name not in {entry.id.name, *entry.aliases}:
        return False
    return ref_of(model_id) in entry.refs or model_id.revision == entry.revision


def shares_name(entry: StoredModel, other: StoredModel | ResolvedModel) -> bool:
    """Whether both are of one model, under any of its names."""
    names = {entry.id.name, *entry.aliases} & {other.id.name, *other.aliases}
    return entry.id.source == other.id.source and bool(names)


def _may_be_of(name: str, model_id: ModelId) -> bool:
    plain = entry_name(model_id)
    return name.partition("@")[0] in {plain, f"{plain}-{short_hash(model_id.name)}"}


def _inode(folder: Path) -> int | None:
    with contextlib.suppress(OSError):
        return folder.lstat().st_ino
    return None


def _is_folder(path: Path) -> bool:
    return path.is_dir() or path.is_symlink()
