"""The cache of models: find, bring, check, mend, list, remove."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_potmodels.artifacts import ResolvedModel, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store import admission, in_place, manifest, signatures
from pytest_potmodels.store.admission import Fetch
from pytest_potmodels.store.checking import Damage, damages, damages_by_digest
from pytest_potmodels.store.layout import (
    MANIFEST,
    Layout,
    entry_name,
    in_place_name,
    short_hash,
    unwritable,
)
from pytest_potmodels.store.locks import held


class ModelStore:
    """One cache folder: one entry is one model is one manifest."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    def find(self, model_id: ModelId) -> StoredModel | None:
        """The entry of a model under any of its names, at the revision asked for.

        Raises:
            DigestMismatchError: the entry is there and its manifest is damaged.
        """
        direct = self._read(entry_name(model_id))
        if direct is not None and _is(direct, model_id):
            return direct
        return next((entry for entry in self.entries() if _is(entry, model_id)), None)

    def entries(self) -> list[StoredModel]:
        """All readable entries, by name; those used in place come last."""
        folders = sorted(self.layout.models.glob("*/" + MANIFEST))
        found = [self._readable(path.parent.name) for path in folders]
        records = sorted(self.layout.in_place("x").parent.glob("*.json"))
        for record in records:
            with contextlib.suppress(DigestMismatchError, OSError):
                found.append(manifest.read(record, record.parent))
        return [entry for entry in found if entry is not None]

    def damaged_entries(self) -> list[str]:
        """Names of folders whose manifest is absent or cannot be read."""
        folders = sorted(p.name for p in self.layout.models.glob("*") if p.is_dir())
        return [n for n in folders if not n.startswith(".") and self._readable(n) is None]

    @contextlib.contextmanager
    def locked(self, model_id: ModelId, *, timeout: float) -> Iterator[None]:
        """Be the one process that brings this model.

        Raises:
            StoreError: the wait was too long, or the cache folder does not take files.
        """
        self.layout.prepare()
        with held(self.layout.lock(entry_name(model_id)), timeout=timeout):
            yield

    def admit(
        self, resolved: ResolvedModel, fetch: Fetch, *, timeout: float, again: bool = False
    ) -> StoredModel:
        """Bring a resolved model, unless another name of it is stored at this revision.

        With `again` the files are fetched even so. The caller holds the lock of the name that
        was asked for.
        """
        with self._canonically_locked(resolved, timeout), _as_store_errors(self.layout):
            known = self._under_another_name(resolved)
            if known is not None and not again:
                return self._learn(known, resolved)
            stored = admission.admit(resolved, self._free_name(resolved), self.layout, fetch)
            self._take_refs_from_others(stored)
        signatures.write(self._marks(stored), signatures.of(stored))
        return stored

    def take_in_place(self, resolved: ResolvedModel, folder: Path) -> StoredModel:
        """Use a model where it lies, with its digests on record."""
        with contextlib.suppress(StoreError):
            self.layout.prepare()  # A read-only cache keeps no record, and the model still works.
        return in_place.take(resolved, folder, self.layout)

    def verify(self, stored: StoredModel, *, whole: bool) -> tuple[Damage, ...]:
        """Check an entry's files: every byte, or only those whose stat signature changed."""
        check = damages_by_digest if whole else damages
        return check(stored, self._marks(stored))

    def mend(self, stored: StoredModel, bad: tuple[Damage, ...], fetch: Fetch) -> None:
        """Fetch damaged files again. The caller holds the lock."""
        with _as_store_errors(self.layout):
            admission.replace_files(stored, bad, self.layout, fetch)

    def remove(self, stored: StoredModel) -> None:
        """Delete an entry. A model used in place is only forgotten; its files are not ours."""
        self._marks(stored).unlink(missing_ok=True)
        with _as_store_errors(self.layout):
            if stored.in_place:
                self.layout.in_place(_record_name(stored)).unlink(missing_ok=True)
            else:
                admission.delete(admission.set_aside(stored.path, self.layout))

    def remove_damaged(self, name: str) -> None:
        """Delete a folder that has no readable manifest."""
        admission.delete(admission.set_aside(self.layout.entry(name), self.layout))

    def _marks(self, stored: StoredModel) -> Path:
        return self.layout.signatures(_record_name(stored))

    def _read(self, name: str) -> StoredModel | None:
        folder = self.layout.entry(name)
        try:
            return manifest.read(folder / MANIFEST, folder)
        except FileNotFoundError:
            return None

    def _readable(self, name: str) -> StoredModel | None:
        with contextlib.suppress(DigestMismatchError):
            return self._read(name)
        return None

    @contextlib.contextmanager
    def _canonically_locked(self, resolved: ResolvedModel, timeout: float) -> Iterator[None]:
        # `bert-base-uncased` and `google-bert/bert-base-uncased` hold different locks of their
        # own; both end here. Only old names wait for canonical ones, so there is no cycle.
        canonical = resolved.aliases[0] if resolved.aliases else resolved.id.name
        if canonical == resolved.id.name:
            yield
            return
        with self.locked(replace(resolved.id, name=canonical), timeout=timeout):
            yield

    def _under_another_name(self, resolved: ResolvedModel) -> StoredModel | None:
        names = {resolved.id.name, *resolved.aliases}
        for entry in self.entries():
            same = entry.id.source == resolved.id.source and entry.revision == resolved.revision
            shared = names & {entry.id.name, *entry.aliases}
            if same and shared and entry.revision is not None and not entry.in_place:
                return entry
        return None

    def _learn(self, known: StoredModel, resolved: ResolvedModel) -> StoredModel:
        """Add the name and revision that were asked for to the manifest of an entry."""
        names = {*known.aliases, *resolved.aliases, resolved.id.name} - {known.id.name}
        refs = {*known.refs, resolved.id.revision or ""}
        learned = replace(known, aliases=tuple(sorted(names)), refs=tuple(sorted(refs)))
        manifest.write(learned, known.path / MANIFEST)
        self._take_refs_from_others(learned)
        return learned

    def _take_refs_from_others(self, newest: StoredModel) -> None:
        """A branch names one revision: the one it was resolved to last."""
        for entry in self.entries():
            moved = set(entry.refs) & set(newest.refs)
            if moved and entry.path != newest.path and not entry.in_place and _share(entry, newest):
                left = tuple(ref for ref in entry.refs if ref not in moved)
                manifest.write(replace(entry, refs=left), entry.path / MANIFEST)

    def _free_name(self, resolved: ResolvedModel) -> str:
        """The plain name; `@rev8` for a second revision; a hash where another model has it."""
        plain = entry_name(resolved.id)
        if self._belongs_to_another(plain, resolved):
            plain = f"{plain}-{short_hash(resolved.id.name)}"
        holder = self._readable(plain)
        if holder is None or holder.revision == resolved.revision:
            return plain
        return f"{plain}@{(resolved.revision or short_hash(str(resolved.id)))[:8]}"

    def _belongs_to_another(self, name: str, resolved: ResolvedModel) -> bool:
        # Names that differ only in case are one folder on macOS and Windows.
        for folder in self.layout.models.glob("*"):
            if folder.name.casefold() == name.casefold():
                holder = self._readable(folder.name)
                mine = {resolved.id.name, *resolved.aliases}
                return folder.name != name or (holder is not None and holder.id.name not in mine)
        return False


def _record_name(stored: StoredModel) -> str:
    return in_place_name(stored.id, stored.path) if stored.in_place else stored.path.name


def _share(one: StoredModel, other: StoredModel) -> bool:
    """Whether two entries are of one model, under any of its names."""
    names = {one.id.name, *one.aliases} & {other.id.name, *other.aliases}
    return one.id.source == other.id.source and bool(names)


def _is(entry: StoredModel, model_id: ModelId) -> bool:
    if entry.id.source != model_id.source or model_id.name not in {entry.id.name, *entry.aliases}:
        return False
    wanted = model_id.revision or ""
    return wanted in entry.refs or wanted == entry.revision


@contextlib.contextmanager
def _as_store_errors(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(layout.root, error) from error
