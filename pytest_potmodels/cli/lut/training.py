"""`lut train`: a recipe, its files, and the figures of what was held out."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pytest_potmodels import extras
from pytest_potmodels.cli.console import put, put_json, say
from pytest_potmodels.cli.exits import INTERRUPTED
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lut.options import (
    data_option,
    force_option,
    refuse_existing,
    seed_option,
)
from pytest_potmodels.cli.lut.watching import watched
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table

if TYPE_CHECKING:
    from pytest_potmodels.lut.training.plan import Plan
    from pytest_potmodels.lut.training.shipping import Shipped


@click.command(epilog="Example: potmodels lut train digits_small --out models")
@click.argument("target", metavar="NAME|FILE.yaml")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              default="pretrained", show_default=True,
              help="Where the files go, in a folder of the model's type.")  # fmt: skip
@data_option
@seed_option
@click.option("--repeats", type=click.IntRange(1), default=1, show_default=True, metavar="N",
              help="Train N seeds for the mean; the files are of the first.")  # fmt: skip
@force_option
@json_option
@common_options
def train(  # noqa: PLR0913 - as click hands them over
    invocation: Invocation, target: str, *, out: Path, data: Path, seed: int | None,
    repeats: int, force: bool, as_json: bool,
) -> int:  # fmt: skip
    """Train a model by the recipe in its YAML, and write it with its metrics.

    One thread; on the same stack the same recipe gives the same bits. What is held out is measured
    once, at the end. The folder is found again as ./pretrained, or by POT_LUT_PATH.
    """
    for package in ("torch", "numpy"):
        extras.require(package)
    from pytest_potmodels.lut.training.datasets import read_dataset  # noqa: PLC0415 - brings torch
    from pytest_potmodels.lut.training.files import Files  # noqa: PLC0415
    from pytest_potmodels.lut.training.plan import plan_of  # noqa: PLC0415
    from pytest_potmodels.lut.training.shipping import ship  # noqa: PLC0415

    plan = plan_of(target, seed=seed)
    files = Files.of(plan, out)
    refuse_existing(files.there(), force=force)  # Before an hour of training, not after it.
    dataset = read_dataset(plan.name, plan.config.dataset, data)
    try:
        with watched(f"{plan.name}, seed", quiet=invocation.quiet) as on_epoch:
            shipped = ship(plan, dataset, files, repeats=repeats, on_epoch=on_epoch)
    except KeyboardInterrupt:  # Unlike a download, it cannot be resumed.
        say("interrupted; nothing was written")
        return INTERRUPTED
    if as_json:
        put_json(_as_json(plan, shipped))
    elif not invocation.quiet:
        _show(plan, shipped)
    return 0


def _as_json(plan: "Plan", shipped: "Shipped") -> dict[str, Any]:
    files = shipped.files
    return {
        "name": f"{plan.config.model_type}/{plan.name}",
        "source": "lut",
        "revision": None,
        "metrics": shipped.metrics,
        "files": [str(path) for path in _paths(shipped)],
        "config": str(files.config),
        "weights": shipped.weights_sha256,
        "hardened": shipped.hardened_sha256,
    }


def _show(plan: "Plan", shipped: "Shipped") -> None:
    rows = shipped.metrics.get("seeds") or [{"seed": plan.recipe.seed, **shipped.metrics}]
    cells = [(str(row["seed"]), f"{row['hard']:.2f}", f"{row['soft']:.2f}") for row in rows]
    if mean := shipped.metrics.get("mean"):
        cells.append(("mean", f"{mean['hard']:.2f}", f"{mean['soft']:.2f}"))
    put_table(Table(("seed", "hard %", "soft %"), tuple(cells), frozenset({"hard %", "soft %"})))
    put(f"{plan.name}: of {shipped.accuracy.images} images that were held out")
    for path in _paths(shipped):
        put(f"  {path}")


def _paths(shipped: "Shipped") -> list[Path]:
    *others, config = shipped.files.paths
    return [config, *others]
