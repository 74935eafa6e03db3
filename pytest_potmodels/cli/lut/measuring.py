"""`lut eval`: what a model gets right of the images that were held out."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_potmodels import extras
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.exits import CHECK_FAILED, Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lut.options import data_option
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.errors import UsageError

if TYPE_CHECKING:
    from pytest_potmodels.lut.training.evaluation import Evaluation

_COLUMNS = ("model", "hard %", "soft %", "gap", "images")


@click.command("eval", epilog="Example: potmodels lut eval digits_small digits_large --json")
@click.argument("names", nargs=-1, metavar="NAME...")
@data_option
@json_option
@common_options
def measure(invocation: Invocation, names: tuple[str, ...], *, data: Path, as_json: bool) -> int:
    """Measure models on the images that were held out, on probabilities and on bits.

    Exit code 1 if the bits get another share right than the YAML says, or than the hardened file.
    """
    if not names:
        raise UsageError("No model is named.", remedy="potmodels lut eval digits_small")
    extras.require("torch")
    from pytest_potmodels.lut.training.evaluation import evaluate  # noqa: PLC0415 - brings torch

    batch = Batch(invocation.debug)
    tried = [batch.attempt(name, partial(evaluate, name, data)) for name in names]
    found = [each for each in tried if each is not None]
    if as_json:
        put_json([_as_json(each) for each in found])
    elif not invocation.quiet:
        put_table(Table(_COLUMNS, tuple(map(_row, found)), frozenset(_COLUMNS[1:])))
    wrong = [each for each in found if each.trouble]
    for each in wrong:
        say(f"{each.name}: {each.trouble}.", label="error")
    return max(batch.code, CHECK_FAILED if wrong else 0)


def _as_json(found: "Evaluation") -> dict[str, Any]:
    return {
        "name": found.name,
        "source": "lut",
        **found.accuracy.as_json(),
        "promised": dict(found.promised),
        "agrees": not found.trouble,
    }


def _row(found: "Evaluation") -> tuple[str, ...]:
    seen = found.accuracy
    figures = (f"{seen.hard:.2f}", f"{seen.soft:.2f}", f"{seen.gap:+.2f}", str(seen.images))
    return (found.name, *figures)
