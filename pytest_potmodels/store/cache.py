"""The cache of models: find, bring, check, mend, list, remove."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pytest_potmodels.artifacts import ResolvedModel, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store import admission, disk, manifest, mending, provenance, signatures, usage
from pytest_potmodels.store.checking import Damage, damages, damages_by_digest, mismatch
from pytest_potmodels.store.entries import Entries, refs_of, shares_name
from pytest_potmodels.store.in_place import InPlace
from pytest_potmodels.store.layout import MANIFEST, Layout, entry_name, in_place_name, unwritable
from pytest_potmodels.store.leases import Heed, Leases
from pytest_potmodels.store.leftovers import discard, files_of, leftovers
from pytest_potmodels.store.locks import held
from pytest_potmodels.store.mending import Fetch

_log = logging.getLogger(__name__)

#: Seconds for which a process waits for another one that hashes the same model in place.
_HASHING = 60.0


class ModelStore:
    """One cache folder: one entry is one model is one manifest."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.leases = Leases(layout)
        self._entries = Entries(layout)

    def find(self, model_id: ModelId) -> StoredModel | None:
        """The entry of a model under any of its names, at the revision asked for.

        Raises:
            DigestMismatchError: there is none, but one with a damaged manifest that may be it.
            StoreError: this user may not read it.
        """
        return self._entries.find(model_id)

    def find_to_use(self, model_id: ModelId) -> StoredModel | None:
        """The same, and nothing removes it before this process ends; raises what `find` raises."""
        stored = self._entries.find(model_id)
        # Who removes things may have been faster than the lease, so it is looked for once more.
        while stored is not None and not stored.in_place and self.lease(stored.path.name):
            stored = self._entries.find(model_id)
        return stored

    def lease(self, name: str) -> bool:
        """Keep an entry from being removed while this process runs; whether that is new."""
        new = self.leases.take(name)
        if new:
            usage.touch(self.layout, name)
        return new

    def entries(self) -> list[StoredModel]:
        """All readable entries, by name; those used in place come last."""
        return [*self._entries.all(), *self._entries.in_place()]

    def damaged_entries(self) -> list[str]:
        """Names of entries whose manifest is absent or cannot be read."""
        return self._entries.damaged()

    def damage_of(self, name: str) -> DigestMismatchError | StoreError:
        """What is wrong with a folder that `damaged_entries` names."""
        return self._entries.damage_of(name)

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
        """Bring a resolved model, unless it is stored under another of its names.

        With `again` the files are fetched even so. The caller holds the lock of the name that
        was asked for. What was not brought is not `fresh`, and not checked either.
        """
        with self._canonically_locked(resolved, timeout), _as_store_errors(self.layout):
            known = self._entries.at_revision(resolved)
            if not again and (pinned := self._known(resolved)):
                return self._learn(pinned, resolved)
            name = known.path.name if known else self._entries.free_name(resolved)
            with self._alone_with_files(name, timeout):
                self.lease(name)
                stored = admission.admit(resolved, name, self.layout, fetch, known=known)
                provenance.record(self.layout, name, stored.files)
            self._take_refs_from_others(stored)
            signatures.write(self._marks(stored), signatures.of(stored))
        return stored

    def missing_bytes(self, resolved: ResolvedModel) -> int:
        """Bytes of a model that are still to come; what a killed run left need not come again."""
        name = admission.stage_name(self._entries.free_name(resolved), resolved)
        return max(0, resolved.size - disk.bytes_in(self.layout.stage(name)))

    def take_in_place(self, resolved: ResolvedModel, folder: Path) -> StoredModel:
        """Use a model where it lies, with its digests on record.

        Raises:
            UnavailableError: a file cannot be read.
        """
        unchanged = InPlace(resolved, folder, self.layout).unchanged()
        if unchanged is not None:
            return unchanged
        with contextlib.ExitStack() as stack:
            # A read-only cache takes no lock and keeps no record, and the model still works.
            with contextlib.suppress(StoreError):
                stack.enter_context(self.locked(resolved.id, timeout=_HASHING))
            return InPlace(resolved, folder, self.layout).take()

    def verify(self, stored: StoredModel, *, whole: bool) -> tuple[Damage, ...]:
        """Check an entry's files: every byte, or only those whose stat signature changed."""
        check = damages_by_digest if whole else damages
        return check(stored, self._marks(stored))

    def mend(self, stored: StoredModel, fetch: Fetch, *, timeout: float) -> tuple[Damage, ...]:
        """Fetch damaged files again, and say which. The caller holds a lock of the model.

        Nothing is fetched where another process has mended them meanwhile.

        Raises:
            DigestMismatchError: a file was damaged while others were mended.
        """
        with self._alone_with_files(stored.path.name, timeout), _as_store_errors(self.layout):
            bad = self.verify(stored, whole=False)
            for damage in bad:
                _log.warning("%s: %s; fetching it again", stored.id, damage)
            if bad:
                mended = mending.replace_files(stored, bad, self.layout, fetch)
                provenance.record(self.layout, stored.path.name, mended)
            for damage in self.verify(stored, whole=False) if bad else ():
                raise mismatch(stored, damage)
        return bad

    def remove(self, stored: StoredModel, *, heed: Heed = "others") -> None:
        """Delete an entry. A model used in place is only forgotten; its files are not ours.

        Raises:
            StoreError: a running process uses it, among those that `heed` names; or the cache
                cannot be written.
        """
        if not stored.in_place:
            self._remove_folder(stored.path.name, str(stored.id), heed)
            return
        with _as_store_errors(self.layout):
            self._marks(stored).unlink(missing_ok=True)
            self.layout.in_place(_record_name(stored)).unlink(missing_ok=True)

    def remove_damaged(self, name: str, *, heed: Heed = "others") -> None:
        """Delete a folder that `damaged_entries` names; raises what `remove` raises."""
        self._remove_folder(name, name, heed)

    def _remove_folder(self, name: str, what: str, heed: Heed) -> None:
        """Move a folder out of sight while nobody can begin to use it; one that is gone is gone."""
        with _as_store_errors(self.layout), contextlib.suppress(FileNotFoundError):
            with self.leases.settled() as live:
                self.leases.check_free(name, what, live, heed)
                aside = mending.set_aside(self.layout.entry(name), self.layout)
                self.layout.signatures(name).unlink(missing_ok=True)
                usage.forget(self.layout, name)
                provenance.forget(self.layout, name)
            disk.delete(aside)

    def leftovers(self) -> list[Path]:
        """What belongs to no model: downloads in part, bad files set aside, unreadable records."""
        known = {self.layout.in_place(_record_name(each)) for each in self._entries.in_place()}
        records = set(self.layout.machine.glob("in_place/*.json"))
        return sorted([*leftovers(self.layout), *(records - known)])

    def discard(self, leftover: Path) -> None:
        """Delete one of the leftovers.

        Raises:
            StoreError: another process is downloading it, or it cannot be deleted.
        """
        with _as_store_errors(self.layout):
            discard(leftover, self.layout)

    def _marks(self, stored: StoredModel) -> Path:
        return self.layout.signatures(_record_name(stored))

    @contextlib.contextmanager
    def _canonically_locked(self, resolved: ResolvedModel, timeout: float) -> Iterator[None]:
        # `bert-base-uncased` and `google-bert/bert-base-uncased` hold different locks of their
        # own; both end here. Only old names wait for canonical ones, so there is no cycle.
        canonical = resolved.aliases[0] if resolved.aliases else resolved.id.name
        mine = self.layout.lock(entry_name(resolved.id))
        theirs = self.layout.lock(entry_name(replace(resolved.id, name=canonical)))
        if mine == theirs:
            yield
            return
        with held(theirs, timeout=timeout):
            yield

    def alone_with(
        self, stored: StoredModel, *, timeout: float
    ) -> contextlib.AbstractContextManager[None]:
        """Be the one process that changes the files of an entry; raises what `locked` raises."""
        return self._alone_with_files(stored.path.name, timeout)

    @contextlib.contextmanager
    def _alone_with_files(self, name: str, timeout: float) -> Iterator[None]:
        # Holders of different names of one model may want to change its files. Nobody waits for
        # another lock while holding this one, so there is no cycle.
        with held(self.layout.lock(files_of(name)), timeout=timeout):
            yield

    def _known(self, resolved: ResolvedModel) -> StoredModel | None:
        """The entry that has what was asked for, leased: what is written to it must not be lost."""
        while known := self._entries.pinned(resolved) or self._entries.at_revision(resolved):
            if not self.lease(known.path.name):
                break
        return known

    def _learn(self, known: StoredModel, resolved: ResolvedModel) -> StoredModel:
        """Add the name and revision that were asked for to the manifest of an entry."""
        names = {*known.aliases, *resolved.aliases, resolved.id.name} - {known.id.name}
        refs = {*known.refs, *refs_of(resolved)}
        learned = replace(known, aliases=tuple(sorted(names)), refs=tuple(sorted(refs)))
        if learned != known:
            manifest.write(learned, known.path / MANIFEST)
        self._take_refs_from_others(learned)
        return learned

    def _take_refs_from_others(self, newest: StoredModel) -> None:
        """A branch names one revision: the one it was resolved to last."""
        for entry in self._entries.all():
            moved = set(entry.refs) & set(newest.refs)
            if moved and entry.path != newest.path and shares_name(entry, newest):
                left = tuple(ref for ref in entry.refs if ref not in moved)
                self._rewrite(replace(entry, refs=left))

    def _rewrite(self, entry: StoredModel) -> None:
        """Write the manifest of an entry that this process does not use, if it is still there."""
        with self.leases.settled():
            if (entry.path / MANIFEST).exists():
                manifest.write(entry, entry.path / MANIFEST)


def _record_name(stored: StoredModel) -> str:
    return in_place_name(stored.id, stored.path) if stored.in_place else stored.path.name


@contextlib.contextmanager
def _as_store_errors(layout: Layout) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(layout.root, error) from error
