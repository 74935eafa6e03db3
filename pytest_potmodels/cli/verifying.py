"""`verify`: is every byte in the cache still the byte that was admitted?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup, expanded, id_of_folder
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.store.checking import Damage, mismatch
from pytest_potmodels.store.derived import DerivedModel
from pytest_potmodels.transfer.disk import in_units

OK, MISMATCH, FIXED, UNCHECKED = "ok", "mismatch", "fixed", "not checked"
NOT_AS_LOCKED = "not as locked"
#: Another process removed it while others were checked.
GONE = "removed meanwhile"
DAMAGED, SET_ASIDE = "damaged manifest", "set aside"


@dataclass(frozen=True)
class Checked:
    """What was found of an entry."""

    name: str
    status: str
    stored: StoredModel | None = None
    damages: tuple[Damage, ...] = ()
    derived: tuple[tuple[DerivedModel, tuple[Damage, ...]], ...] = ()


@click.command(epilog="Example: potmodels verify --fix")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option("--fix", is_flag=True, help="Fetch files with wrong bytes again.")
@json_option
@common_options
def verify(invocation: Invocation, names: tuple[str, ...], *, fix: bool, as_json: bool) -> int:
    """Hash every byte in the cache and compare with what was admitted.

    And with the lock file, if there is one. Without a name: all models. Exit code 4 if a byte
    differs; no model is changed without --fix.
    What was derived from a model is checked with it; damaged, it is set aside with a warning, which
    is no failure: it is made again when needed.
    """
    verifying = _Verifying(invocation, fix=fix)
    checked = verifying.named(invocation, expanded(names)) if names else verifying.all()
    if as_json:
        put_json([_as_json(each) for each in checked])
    elif not invocation.quiet:
        rows = tuple(_row(each) for each in checked)
        columns = ("model", "status", "revision", "files", "size")
        put_table(Table(columns, rows, frozenset({"files", "size"})))
        say(f"{_counted(checked)} checked in {verifying.store.layout.root}")
    return verifying.batch.code


class _Verifying:
    """Checks entries one by one; a pipeline mends them where that was asked for."""

    def __init__(self, invocation: Invocation, *, fix: bool) -> None:
        self._quiet = invocation.quiet
        self._watch = watcher(quiet=invocation.quiet)
        self._pipeline = invocation.pipeline(self._watch) if fix else None
        self.store = invocation.store()
        self._derived = invocation.derived()
        self._pins = open_pins(invocation.settings.lock, only=invocation.settings.locked)
        self.batch = Batch(invocation.debug)

    def all(self) -> list[Checked]:
        self._derived.set_unreadable_aside()
        entries = [self._attempted(stored) for stored in self.store.entries()]
        return [*entries, *(self._damaged(folder) for folder in self.store.damaged_entries())]

    def named(self, invocation: Invocation, names: Sequence[str]) -> list[Checked]:
        lookup = Lookup(self.store, invocation.catalog())
        checked = []
        for name in names:
            found = self.batch.attempt(name, partial(self._named, lookup, name))
            checked += [found] if found is not None else []
        return checked

    def _named(self, lookup: Lookup, name: str) -> Checked:
        folder = lookup.damaged_folder(name)
        return self._damaged(folder) if folder else self._entry(lookup.stored(name))

    def _attempted(self, stored: StoredModel) -> Checked:
        name = str(stored.id)
        found = self.batch.attempt(name, partial(self._entry, stored))
        return found or Checked(name, UNCHECKED, stored)

    def _entry(self, stored: StoredModel) -> Checked:
        self._say_checking(str(stored.id), stored)
        return replace(self._files_of(stored), derived=tuple(self._derived_from(stored)))

    def _say_checking(self, what: str, files: StoredModel | DerivedModel) -> None:
        if not self._quiet:
            say(f"checking {what} ({records.amount(len(files.files), 'file', files.size)})")

    def _derived_from(
        self, stored: StoredModel
    ) -> Iterator[tuple[DerivedModel, tuple[Damage, ...]]]:
        for derived in self._derived.of(stored):
            self._say_checking(str(derived), derived)
            yield derived, self._derived.verify(derived)

    def _files_of(self, stored: StoredModel) -> Checked:
        name = str(stored.id)
        if not stored.in_place:
            # A prune in another process would look like damage. To be checked is no use, though.
            self.store.leases.take(stored.path.name)
        bad = self.store.verify(stored, whole=True)
        if bad and not stored.path.exists():
            return Checked(name, GONE, stored)
        if not bad:
            return Checked(name, self._as_locked(name, stored), stored)
        if self._fixed(name, _pinned(stored)) is not None:
            return Checked(name, FIXED, stored, bad)
        for damage in bad:
            error = mismatch(stored, damage)
            error.remedy = _remedy(stored)
            self.batch.note(name, error)
        return Checked(name, MISMATCH, stored, bad)

    def _as_locked(self, name: str, stored: StoredModel) -> str:
        """Whether its bytes, which are those that were admitted, are the lock's, too."""
        entry = self._pins.entry_of(stored)
        try:
            if entry is not None:
                self._pins.compare(entry, stored)
        except DigestMismatchError as error:
            self.batch.note(name, error)
            return NOT_AS_LOCKED
        return OK

    def _damaged(self, folder: str) -> Checked:
        error = self.store.damage_of(folder)
        fetched = self._fixed(folder, id_of_folder(folder))
        if fetched is not None:
            return Checked(folder, FIXED, fetched)
        self.batch.note(folder, error)
        return Checked(folder, DAMAGED)

    def _fixed(self, name: str, model_id: ModelId | None) -> StoredModel | None:
        """Bring a model in order through the pipeline, where that was asked for and can be."""
        pipeline = self._pipeline
        if pipeline is None or model_id is None:
            return None

        def fetch() -> StoredModel:
            with self._watch.watching(name):
                return pipeline.acquire(pipeline.catalog.request(str(model_id)))

        return self.batch.attempt(name, fetch)


def _pinned(stored: StoredModel) -> ModelId | None:
    """The id by which the pipeline finds this very entry; none for what lies with its owner."""
    return None if stored.in_place else replace(stored.id, revision=stored.revision)


def _remedy(stored: StoredModel) -> str:
    name = f"{stored.id}" if "" in stored.refs else f"{stored.id}@{stored.revision}"
    if stored.in_place:
        return f"restore the file; if the change is meant, take it: potmodels warm {name}"
    return f"potmodels verify --fix {name}"


def _as_json(checked: Checked) -> dict[str, Any]:
    known = records.as_json(checked.stored) if checked.stored else records.nothing(checked.name)
    derived = [
        {"key": each.key, "status": SET_ASIDE if bad else OK, "differences": _differences(bad)}
        for each, bad in checked.derived
    ]
    found = {"status": checked.status, "differences": _differences(checked.damages)}
    return {**known, **found, "derived": derived}


def _differences(damages: Sequence[Damage]) -> list[dict[str, str]]:
    return [
        {"path": damage.file.path, "expected": damage.file.sha256, "found": damage.found}
        for damage in damages
    ]


def _counted(checked: Sequence[Checked]) -> str:
    derived = sum(len(each.derived) for each in checked)
    also = f" and {records.counted(derived, 'derived folder')}" if derived else ""
    return records.counted(len(checked), "model") + also


def _row(checked: Checked) -> tuple[str, ...]:
    stored = checked.stored
    if stored is None:
        return (checked.name, checked.status, "-", "-", "-")
    bad = f" in {records.counted(len(checked.damages), 'file')}" if checked.damages else ""
    status, files = checked.status + bad, str(len(stored.files))
    return (checked.name, status, stored.revision or "-", files, in_units(stored.size))
