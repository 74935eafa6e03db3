"""Recipes compared on training images alone: what is held out is looked at once, at last."""

from collections.abc import Callable, Iterator
from functools import partial

import torch

from pytest_potmodels import extras
from pytest_potmodels.lut.training.accuracy import Accuracy, measure
from pytest_potmodels.lut.training.images import Dataset, Images
from pytest_potmodels.lut.training.loop import Epoch, train
from pytest_potmodels.lut.training.plan import Plan
from pytest_potmodels.lut.training.stack import pinned

#: Of the division into folds, whatever the recipe's seed.
_SEED = 1


def cross_validate(
    plan: Plan, data: Dataset, folds: int, *, on_epoch: Callable[[int, Epoch], None]
) -> list[Accuracy]:
    """Train on all folds but one, measure on that one, for each in turn; nothing is written.

    Args:
        plan: what to train.
        data: whose training images are divided, each class alike.
        folds: how many, at least 2.
        on_epoch: told of each fold's number, from 1 on, and of its epochs.

    Raises:
        LUTError: a training failed.
        MissingPackageError: scikit-learn is not installed.
    """
    found = []
    for number, (kept, left_out) in enumerate(_divided(data.train, folds), start=1):
        trained = train(
            plan.config, plan.recipe, kept, data.shape,
            on_epoch=partial(on_epoch, number),
        )  # fmt: skip
        with pinned():
            found.append(measure(trained.model, left_out))
    return found


def _divided(images: Images, folds: int) -> Iterator[tuple[Images, Images]]:
    selection = extras.require("sklearn.model_selection")
    division = selection.StratifiedKFold(folds, shuffle=True, random_state=_SEED)
    for parts in division.split(images.pixels, images.labels):
        kept, left_out = map(torch.from_numpy, parts)
        yield images[kept], images[left_out]
