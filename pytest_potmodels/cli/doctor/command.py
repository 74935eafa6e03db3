"""`doctor`: the checks in a row, and the report."""

from collections.abc import Iterator
from dataclasses import replace

import click

from pytest_potmodels.cli.console import put, put_json
from pytest_potmodels.cli.doctor import cache, contents, frameworks, lock, machine, network
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.cli.exits import CHECK_FAILED
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import common_options, json_option, setting_option
from pytest_potmodels.cli.wording import as_typed_here


@click.command(epilog="Example: potmodels doctor --json")
@setting_option("device")
@json_option
@common_options
def doctor(invocation: Invocation, *, as_json: bool) -> int:
    """Check Python, packages, cache, network and token.

    One line per check: ok, warn or fail, and what mends it. Exit code 1 if a check failed.
    """
    found = []
    for finding in _checks(invocation):
        found.append(finding)
        if not as_json and not (invocation.quiet and finding.status == "ok"):
            _put(finding)
    if as_json:
        put_json([vars(finding) for finding in found])
    return CHECK_FAILED if any(finding.status == "fail" for finding in found) else 0


def _checks(invocation: Invocation) -> Iterator[Finding]:
    """Quick ones first; each line appears as soon as it is known."""
    settings = invocation.settings
    if lock.trouble(settings):
        invocation = replace(invocation, settings=lock.without(settings))
    pipeline = invocation.pipeline()
    yield from machine.check(invocation.settings)
    yield from cache.check(pipeline.store)
    yield from contents.check(pipeline.store, invocation.derived(), settings)
    yield lock.check(settings, pipeline.store, pipeline.catalog)
    yield from network.check(pipeline)
    yield from frameworks.check(invocation.settings.device)


def _put(finding: Finding) -> None:
    put(f"{finding.status:<5} {finding.check:<13} {as_typed_here(finding.said)}")
    if finding.remedy:
        put(f"{'':<20}to mend it: {as_typed_here(finding.remedy)}")
