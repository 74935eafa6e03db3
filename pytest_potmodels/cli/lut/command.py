"""The group `lut`; what its commands need is imported when one of them runs."""

import click

from pytest_potmodels.cli.groups import Group
from pytest_potmodels.cli.lut.describing import info
from pytest_potmodels.cli.lut.exporting import export
from pytest_potmodels.cli.lut.measuring import measure
from pytest_potmodels.cli.lut.training import train
from pytest_potmodels.cli.lut.validating import validate


@click.group(
    cls=Group, invoke_without_command=True, epilog="Example: potmodels lut eval digits_small"
)
@click.pass_context
def lut(context: click.Context) -> None:
    """Train, measure, describe and export LUT networks.

    Each has its own help: potmodels lut train --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


for each in (train, validate, measure, info, export):
    lut.add_command(each)
