"""`remove` and `clear`: models out of the cache."""

import sys
from collections.abc import Sequence
from functools import partial

import click

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import say
from pytest_potmodels.cli.exits import CHECK_FAILED, Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup, expanded
from pytest_potmodels.cli.options import common_options
from pytest_potmodels.errors import UsageError
from pytest_potmodels.transfer.disk import in_units


@click.command(epilog="Example: potmodels remove resnet18 huggingface_org--model")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@common_options
def remove(invocation: Invocation, names: tuple[str, ...]) -> int:
    """Remove models from the cache.

    NAME is a model's name or its folder. A model that is used where it lies (file:, package:)
    is only forgotten.
    """
    removing = _Removing(invocation)
    lookup = Lookup(removing.store, invocation.catalog())
    for name in expanded(names):
        removing.batch.attempt(name, partial(removing.named, lookup, name))
    return removing.batch.code


@click.command(epilog="Example: potmodels clear --yes")
@click.option("--yes", is_flag=True, help="Do not ask.")
@common_options
def clear(invocation: Invocation, *, yes: bool) -> int:
    """Empty the cache.

    Models, damaged entries, downloads in part and files that were set aside. Asks on a terminal;
    elsewhere it takes --yes. Folders that are not the cache's own stay.
    """
    removing = _Removing(invocation)
    store = removing.store
    models, damaged, left = store.entries(), store.damaged_entries(), store.leftovers()
    what = f"{_listed(models, damaged, len(left))} in {store.layout.root}"
    if not (models or damaged or left):
        removing.say(f"nothing to delete in {store.layout.root}")
        return 0
    if not (yes or _agreed(what)):
        say("nothing was deleted")
        return CHECK_FAILED
    for model in models:
        removing.batch.attempt(str(model.id), partial(removing.model, model))
    for folder in damaged:
        removing.batch.attempt(folder, partial(removing.damaged, folder))
    for leftover in left:
        removing.batch.attempt(leftover.name, partial(store.discard, leftover))
    removing.say(f"deleted: {what}" if not removing.batch.code else "some of it is still there")
    return removing.batch.code


class _Removing:
    """Deletes under the locks that downloads hold, and says what it deleted."""

    def __init__(self, invocation: Invocation) -> None:
        self.store = invocation.store()
        self.batch = Batch(invocation.debug)
        self._quiet = invocation.quiet
        self._timeout = invocation.settings.timeout

    def named(self, lookup: Lookup, name: str) -> None:
        folder = lookup.damaged_folder(name)
        if folder is not None:
            self.damaged(folder)
        else:
            self.model(lookup.stored(name))

    def model(self, stored: StoredModel) -> None:
        with self.store.locked(stored.id, timeout=self._timeout):
            self.store.remove(stored)
        size = in_units(stored.size)
        self.say(
            f"forgot {stored.id}; its files stay in {stored.path}"
            if stored.in_place
            else f"removed {stored.id} ({stored.revision or 'unpinned'}, {size})"
        )

    def damaged(self, folder: str) -> None:
        self.store.remove_damaged(folder)
        self.say(f"removed the damaged entry {folder}")

    def say(self, text: str) -> None:
        if not self._quiet:
            say(text)


def _listed(models: Sequence[StoredModel], damaged: Sequence[str], leftovers: int) -> str:
    parts = [records.amount(len(models), "model", records.total_size(models))] if models else []
    parts += [records.counted(len(damaged), "damaged entry")] if damaged else []
    parts += [records.counted(leftovers, "leftover")] if leftovers else []
    return "; ".join(parts)


def _agreed(what: str) -> bool:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is none.
    """
    if not sys.stdin.isatty():
        raise UsageError(
            f"This would delete {what}, and nobody is at a terminal to agree.",
            remedy="potmodels clear --yes",
        )
    return click.confirm(f"Delete {what}?", err=True)
