"""`list` and `show`: what is in the cache."""

from collections.abc import Sequence
from functools import partial

import click

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records, tracing
from pytest_potmodels.cli.console import put, put_json, say
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup, expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.downloader import registry
from pytest_potmodels.transfer.disk import in_units


@click.command(epilog="Example: potmodels list --json")
@json_option
@common_options
def list_models(invocation: Invocation, *, as_json: bool) -> None:
    """List the models in the cache.

    Folders whose manifest cannot be read are listed, too, as damaged. What was made from models
    (aligned weights) is a line of its own: it goes with its model, and is made again when needed.
    """
    store = invocation.store()
    registry.refresh(invocation.settings, store)
    models = sorted(store.entries(), key=lambda model: (str(model.id), model.revision or ""))
    damaged = store.damaged_entries()
    if as_json:
        there = [{**records.as_json(model), "status": "ok"} for model in models]
        put_json([*there, *(records.nothing(folder, status="damaged") for folder in damaged)])
        return
    put_table(_table(models, damaged))
    put(f"{records.amount_of(records.stored_here(models), 'model')} in {store.layout.root}")
    if used := records.used_in_place(models):
        put(f"and {records.amount_of(used, 'model')} used where the files lie")
    if derived := invocation.derived().size():
        put(f"and {in_units(derived)} derived, made again when needed")
    if damaged:
        say(
            f"{records.counted(len(damaged), 'entry')} without a readable manifest; "
            "potmodels verify says more",
            label="warning",
        )


def _table(models: Sequence[StoredModel], damaged: Sequence[str]) -> Table:
    rows = [
        (str(model.id), model.revision or "-", model.kind, str(len(model.files)),
         in_units(model.size), model.license)
        for model in models
    ]  # fmt: skip
    broken = [(folder, "-", "damaged", "-", "-", "-") for folder in damaged]
    columns = ("model", "revision", "kind", "files", "size", "licence")
    return Table(columns, (*rows, *broken), frozenset({"files", "size"}))


@click.command(epilog="Example: potmodels show bert-base-uncased")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@common_options
def show(invocation: Invocation, names: tuple[str, ...], *, as_json: bool) -> int:
    """Show all that is on record about a model in the cache.

    Origin and digest of each file and when and how it came; licence, revision, other names; where
    the model lies, what was derived from it, when it was last used, and which processes use it now.
    """
    batch = Batch(invocation.debug)
    store, derived = invocation.store(), invocation.derived()
    lookup = Lookup(store, invocation.catalog())

    def look(name: str) -> tuple[StoredModel, tracing.Trace]:
        stored = lookup.stored(name)
        return stored, tracing.trace(stored, store, derived)

    tried = [batch.attempt(name, partial(look, name)) for name in expanded(names)]
    found = [each for each in tried if each is not None]
    if as_json:
        put_json([tracing.as_json(stored, traced) for stored, traced in found])
        return batch.code
    for number, (stored, traced) in enumerate(found):
        lines = tracing.facts(stored, traced)
        put("\n".join(["", *lines] if number else lines))
    return batch.code
