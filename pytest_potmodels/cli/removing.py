"""`remove` and `clear`: models out of the cache."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

import click

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import is_anybody_there, say
from pytest_potmodels.cli.exits import CHECK_FAILED, Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup, expanded
from pytest_potmodels.cli.options import common_options
from pytest_potmodels.downloader import registry
from pytest_potmodels.errors import UsageError
from pytest_potmodels.onnx_export import failures
from pytest_potmodels.store.derived import DerivedModel
from pytest_potmodels.transfer.disk import in_units

_force = click.option("--force", is_flag=True, help="Also what a running process uses.")


@click.command(epilog="Example: potmodels remove resnet18 huggingface_org--model")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@_force
@common_options
def remove(invocation: Invocation, names: tuple[str, ...], *, force: bool) -> int:
    """Remove models from the cache.

    NAME is a model's name or its folder. What was derived from the model goes with it. A model
    that is used where it lies (file:, package:) is only forgotten. What a running process uses
    stays, and the exit code is 3, unless --force is given.
    """
    removing = _Removing(invocation, force=force)
    lookup = Lookup(removing.store, invocation.catalog())
    for name in expanded(names):
        removing.batch.attempt(name, partial(removing.named, lookup, name))
    registry.refresh(invocation.settings, removing.store)
    return removing.batch.code


@click.command(epilog="Example: potmodels clear --yes")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_force
@common_options
def clear(invocation: Invocation, *, yes: bool, force: bool) -> int:
    """Empty the cache.

    Models, what was derived from models, damaged entries, downloads in part and files that were
    set aside. Asks on a terminal; elsewhere it takes --yes. Folders that are not the cache's own
    stay; so does what a running process uses, and the exit code is 3, unless --force is given.
    """
    removing = _Removing(invocation, force=force)
    found = removing.found()
    if found.is_nothing:
        removing.say(f"nothing to delete in {found.root}")
        return 0
    what = found.in_words()
    if not (yes or _agreed(what)):
        say("nothing was deleted")
        return CHECK_FAILED
    removing.all(found)
    registry.refresh(invocation.settings, removing.store)
    removing.say(f"deleted: {what}" if not removing.batch.code else "some of it is still there")
    return removing.batch.code


@dataclass(frozen=True)
class _Found:
    """All that is in the cache, and what was derived and lies beside it."""

    root: Path
    models: Sequence[StoredModel]
    derived: Sequence[DerivedModel]
    damaged: Sequence[str]
    leftovers: Sequence[Path]
    derived_leftovers: Sequence[Path]

    @property
    def is_nothing(self) -> bool:
        left = (*self.leftovers, *self.derived_leftovers)
        return not (self.models or self.derived or self.damaged or left)

    def in_words(self) -> str:
        size = sum(each.size for each in self.derived)
        left = len(self.leftovers) + len(self.derived_leftovers)
        ours, theirs = records.stored_here(self.models), records.used_in_place(self.models)
        parts = [
            (ours, records.amount_of(ours, "model")),
            (theirs, f"the records of {records.counted(len(theirs), 'model')} whose files stay"),
            (self.derived, records.amount(len(self.derived), "derived folder", size)),
            (self.damaged, records.counted(len(self.damaged), "damaged entry")),
            (left, records.counted(left, "leftover")),
        ]
        said = "; ".join(words for there, words in parts if there)
        return f"{said} in {' and '.join([str(self.root), *self._other_folders()])}"

    def _other_folders(self) -> list[str]:
        paths = [*(each.path for each in self.derived), *self.derived_leftovers]
        return sorted({str(p.parent) for p in paths if not p.is_relative_to(self.root)})


class _Removing:
    """Deletes under the locks that downloads hold, and says what it deleted."""

    def __init__(self, invocation: Invocation, *, force: bool) -> None:
        self._heed: Literal["none", "others"] = "none" if force else "others"
        self.store = invocation.store()
        self._derived = invocation.derived()
        self.batch = Batch(invocation.debug)
        self._quiet = invocation.quiet
        self._timeout = invocation.settings.timeout

    def found(self) -> _Found:
        store, derived = self.store, self._derived
        return _Found(
            root=store.layout.root,
            models=store.entries(),
            derived=derived.all(),
            damaged=store.damaged_entries(),
            leftovers=store.leftovers(),
            derived_leftovers=derived.leftovers(),
        )

    def all(self, found: _Found) -> None:
        attempt = self.batch.attempt
        for model in found.models:
            attempt(str(model.id), partial(self.model, model))
        for derived in found.derived:
            attempt(derived.key, partial(self._derived.remove, derived, heed=self._heed))
        for folder in found.damaged:
            attempt(folder, partial(self.damaged, folder))
        for leftover in found.leftovers:
            attempt(leftover.name, partial(self.store.discard, leftover))
        for leftover in found.derived_leftovers:
            attempt(leftover.name, partial(self._derived.discard, leftover))
        failures.forget_all(self._derived)

    def named(self, lookup: Lookup, name: str) -> None:
        folder = lookup.damaged_folder(name)
        if folder is not None:
            self.damaged(folder)
        else:
            self.model(lookup.stored(name))

    def model(self, stored: StoredModel) -> None:
        derived = self._derived.of(stored)
        with self.store.locked(stored.id, timeout=self._timeout):
            for each in derived:
                self._derived.remove(each, heed=self._heed)
            self.store.remove(stored, heed=self._heed)
        size = in_units(stored.size)
        also = in_units(sum(each.size for each in derived))
        self.say(
            (
                f"forgot {stored.id}; its files stay in {stored.path}"
                if stored.in_place
                else f"removed {stored.id} ({stored.revision or 'unpinned'}, {size})"
            )
            + (f", and {also} derived from it" if derived else "")
        )

    def damaged(self, folder: str) -> None:
        self.store.remove_damaged(folder, heed=self._heed)
        self.say(f"removed the damaged entry {folder}")

    def say(self, text: str) -> None:
        if not self._quiet:
            say(text)


def _agreed(what: str) -> bool:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is none.
    """
    if not is_anybody_there():
        raise UsageError(
            f"This would delete {what}, and nobody is at a terminal to agree.",
            remedy="potmodels clear --yes",
        )
    return click.confirm(f"Delete {what}?", err=True)
