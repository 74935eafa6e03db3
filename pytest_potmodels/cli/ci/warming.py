"""`ci warm`: the models of this job in its cache folder, each byte verified after the restore."""

import os

import click

from pytest_potmodels.ci.event import Policy, decide
from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.ci.outputs import (
    after_warming,
    export,
    of_warming,
    write_outputs,
    write_summary,
)
from pytest_potmodels.ci.summary import render
from pytest_potmodels.ci.warming import Warming
from pytest_potmodels.ci.warming import warm as warm_up
from pytest_potmodels.cli.ci.job import Job, open_job
from pytest_potmodels.cli.ci.options import annotate_failure, ci_command
from pytest_potmodels.cli.ci.shown import put_outputs, words
from pytest_potmodels.cli.ci.streams import annotate
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import json_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.transfer.disk import in_units

_SHOWN = 3
#: GitHub shows ten of a step.
_ANNOTATIONS = 9


@click.command(epilog="Example: potmodels ci warm --select 'bert*'")
@json_option
@ci_command
def warm(invocation: Invocation, *, inputs: Inputs, as_json: bool) -> int:
    """Have the models of this job in its cache folder, and nothing else.

    What was restored is hashed and compared with the lock file; what is broken, unknown or a link
    is deleted, and what lacks is fetched. Then later steps of the job run with the network closed.
    """
    watch = watcher(quiet=invocation.quiet)
    job = open_job(invocation, inputs, watch)
    policy = decide(inputs.cache, os.environ)
    with watch.watching("models"):
        warmed = warm_up(job.pipeline, job.selected, inputs, policy)
    _annotate(job, warmed)
    values = of_warming(warmed, save=policy.save)
    write_outputs(words(values), os.environ)
    _summarise(inputs, warmed, policy)
    put_outputs(values, as_json=as_json, quiet=invocation.quiet)
    code = _told(job, warmed, debug=invocation.debug)
    if warmed.complete:
        cache = job.pipeline.store.layout.root
        export(after_warming(cache, offline=inputs.offline), os.environ)
    return code


def _annotate(job: Job, warmed: Warming) -> None:
    for broken in warmed.broken[:_ANNOTATIONS]:
        annotate("warning", broken, file=job.lock_file)
    if len(warmed.broken) > _ANNOTATIONS:
        more = len(warmed.broken) - _ANNOTATIONS
        annotate("warning", f"{more} more were broken or unknown; deleted", file=job.lock_file)
    if warmed.state == "refused" and warmed.complete:
        largest = sorted(warmed.rows, key=lambda row: -row.bytes)[:_SHOWN]
        named = ", ".join(f"{row.name} ({in_units(row.bytes)})" for row in largest)
        annotate(
            "warning",
            f"{in_units(warmed.held)} of models are more than max-size "
            f"{in_units(job.inputs.max_size)}, and are not saved; the largest: {named}",
            file=job.lock_file,
        )


def _told(job: Job, warmed: Warming, *, debug: bool) -> int:
    batch = Batch(debug)
    lines = {each.name: each.entry.line for each in job.selected.models if each.entry}
    for name, error in warmed.failures.items():
        if not isinstance(error, Exception):
            raise error
        batch.note(name, error)
        failure = batch.failures[name]
        annotate_failure(
            failure.message, failure.remedy, file=job.lock_file, line=lines.get(name, 0)
        )
    return batch.code


def _summarise(inputs: Inputs, warmed: Warming, policy: Policy) -> None:
    unchanged = warmed.state == "hit" and warmed.complete
    if inputs.summary == "false" or (inputs.summary == "on-change" and unchanged):
        return
    write_summary(render(warmed, policy.why), os.environ)
