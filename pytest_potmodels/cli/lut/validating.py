"""`lut validate`: how good a recipe is, found out on training images alone."""

from pathlib import Path
from statistics import fmean

import click

from pytest_potmodels import extras
from pytest_potmodels.cli.console import put_json
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lut.options import data_option, seed_option
from pytest_potmodels.cli.lut.watching import watched
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table

_COLUMNS = ("fold", "hard %", "soft %", "images")


@click.command(epilog="Example: potmodels lut validate mine.yaml --folds 5")
@click.argument("target", metavar="NAME|FILE.yaml")
@click.option("--folds", type=click.IntRange(2), default=5, show_default=True, metavar="N",
              help="Into how many parts the training images are divided.")  # fmt: skip
@data_option
@seed_option
@json_option
@common_options
def validate(
    invocation: Invocation, target: str, *, folds: int, data: Path, seed: int | None,
    as_json: bool,
) -> None:  # fmt: skip
    """Cross-validate the recipe in a YAML: train on all parts but one, measure on that one.

    What is held out is not looked at, so recipes may be compared by this. Nothing is written.
    """
    extras.require("torch")
    from pytest_potmodels.lut.training.datasets import read_dataset  # noqa: PLC0415 - brings torch
    from pytest_potmodels.lut.training.folds import cross_validate  # noqa: PLC0415
    from pytest_potmodels.lut.training.plan import plan_of  # noqa: PLC0415

    plan = plan_of(target, seed=seed)
    dataset = read_dataset(plan.name, plan.config.dataset, data)
    with watched(f"{plan.name}, fold", quiet=invocation.quiet) as on_epoch:
        found = cross_validate(plan, dataset, folds, on_epoch=on_epoch)
    mean = {key: round(fmean(getattr(each, key) for each in found), 2) for key in ("hard", "soft")}
    if as_json:
        put_json({"name": plan.name, "mean": mean, "folds": [each.as_json() for each in found]})
    elif not invocation.quiet:
        rows = [
            (str(number), f"{each.hard:.2f}", f"{each.soft:.2f}", str(each.images))
            for number, each in enumerate(found, start=1)
        ]
        rows.append(("mean", f"{mean['hard']:.2f}", f"{mean['soft']:.2f}", ""))
        put_table(Table(_COLUMNS, tuple(rows), frozenset(_COLUMNS[1:])))
