"""`ci prune`: the cache folder as it is to be saved, where the CI service saves after the tests."""

import click

from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.ci.pruning import entries_of
from pytest_potmodels.ci.pruning import prune as prune_to
from pytest_potmodels.cli import records
from pytest_potmodels.cli.ci.job import open_job
from pytest_potmodels.cli.ci.options import ci_command
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import json_option


@click.command(epilog="Example: potmodels ci prune")
@json_option
@ci_command
def prune(invocation: Invocation, *, inputs: Inputs, as_json: bool) -> int:
    """Delete all from the job's cache folder but the models of this job.

    For services that save the folder when the job has ended: what tests derived, records of this
    machine and downloads in part are not saved.
    """
    job = open_job(invocation, inputs)
    store = job.pipeline.store
    kept = sorted(entries_of(store, job.selected, job.pipeline.pins))
    gone = prune_to(store, kept)
    if as_json:
        put_json({"kept": kept, "removed": list(gone)})
    elif not invocation.quiet:
        for name in gone:
            say(f"removed {name}")
        say(f"{records.counted(len(kept), 'model')} in {store.layout.root}")
    return 0
