"""The group `ci`; what its commands need is imported when one of them runs."""

import click

from pytest_potmodels.cli.ci.keys import keys
from pytest_potmodels.cli.ci.pruning import prune
from pytest_potmodels.cli.ci.warming import warm
from pytest_potmodels.cli.groups import Group


@click.group(cls=Group, invoke_without_command=True, epilog="Example: potmodels ci warm")
@click.pass_context
def ci(context: click.Context) -> None:
    """Keep models between the jobs of a CI service: key, warm, prune.

    Each has its own help: potmodels ci warm --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for each in (keys, warm, prune):
    ci.add_command(each)
