"""Options that several commands of the group take."""

from collections.abc import Sequence
from pathlib import Path

import click

from pytest_potmodels.errors import LUTError

data_option = click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    default="data",
    show_default=True,
    help="Where downloaded data sets are, as torchvision lays them out.",
)

seed_option = click.option(
    "--seed", type=click.IntRange(0), metavar="N", help="Another seed than the recipe's."
)
force_option = click.option("--force", is_flag=True, help="Replace files that are there.")


def refuse_existing(there: Sequence[Path], *, force: bool) -> None:
    """Accept that nothing would be replaced, or that this is what was asked for.

    Raises:
        LUTError: the first file that is there.
    """
    if there and not force:
        raise LUTError(
            f"{there[0]} is there already.", remedy="another folder by --out, or --force"
        )
