"""`list` and `show`: what is in the cache."""

from collections.abc import Sequence
from functools import partial

import click

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import put, put_json, say
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup, expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
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
    models = sorted(store.entries(), key=lambda model: (str(model.id), model.revision or ""))
    damaged = store.damaged_entries()
    if as_json:
        there = [{**records.as_json(model), "status": "ok"} for model in models]
        put_json([*there, *(records.nothing(folder, status="damaged") for folder in damaged)])
        return
    put_table(_table(models, damaged))
    put(
        f"{records.amount(len(models), 'model', records.total_size(models))} in {store.layout.root}"
    )
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

    Origin and digest of each file, licence, revision, other names, and where it lies.
    """
    batch = Batch(invocation.debug)
    lookup = Lookup(invocation.store(), invocation.catalog())
    found = []
    for name in expanded(names):
        stored = batch.attempt(name, partial(lookup.stored, name))
        found += [stored] if stored is not None else []
    if as_json:
        put_json([records.as_json(stored) for stored in found])
        return batch.code
    for number, stored in enumerate(found):
        put("\n".join(["", *records.facts(stored)] if number else records.facts(stored)))
    return batch.code
