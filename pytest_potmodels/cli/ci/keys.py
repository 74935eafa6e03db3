"""`ci keys`: under which key the cache service keeps the models of this job."""

import os
from pathlib import Path

import click

from pytest_potmodels.ci.event import Policy, decide
from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.ci.keys import keys_of
from pytest_potmodels.ci.outputs import write_outputs
from pytest_potmodels.cli.ci.job import Job, open_job
from pytest_potmodels.cli.ci.options import ci_command
from pytest_potmodels.cli.ci.shown import put_outputs, words
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import json_option


@click.command(epilog="Example: potmodels ci keys --json")
@json_option
@ci_command
def keys(invocation: Invocation, *, inputs: Inputs, as_json: bool) -> int:
    """Say under which key the models of this job are cached, and whether to.

    By the digests of the lock file; without one, by the ids and revisions of --models or --preset.
    """
    job = open_job(invocation, inputs)
    values = _outputs(job, decide(inputs.cache, os.environ))
    write_outputs(words(values), os.environ)
    put_outputs(values, as_json=as_json, quiet=invocation.quiet)
    return 0


def _outputs(job: Job, policy: Policy) -> dict[str, object]:
    found = keys_of(job.selected, job.inputs.cache_suffix, os.environ)
    return {
        "key": found.key,
        "restore-keys": "\n".join(found.restore_keys),
        # As it was written: the cache service tells entries apart by this text.
        "cache-dir": Path(job.inputs.cache_dir).as_posix(),
        "restore": policy.restore,
        "save": policy.save,
        "why": policy.why,
    }
