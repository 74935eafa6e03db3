"""From a plan to files: train, measure once on what was held out, write what belongs together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

import torch

from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.hardened import harden
from pytest_potmodels.lut.training import curve
from pytest_potmodels.lut.training.accuracy import Accuracy, measure
from pytest_potmodels.lut.training.files import Files
from pytest_potmodels.lut.training.images import Dataset, Images
from pytest_potmodels.lut.training.loop import Epoch, Trained, train
from pytest_potmodels.lut.training.plan import Plan
from pytest_potmodels.lut.training.stack import pinned, stack
from pytest_potmodels.lut.weights.checking import state_for_files
from pytest_potmodels.lut.weights.writing import write_weights

#: Told of the seed that is being trained, and of each of its epochs.
OnEpoch = Callable[[int, Epoch], None]


@dataclass(frozen=True)
class Shipped:
    """What came of a plan: files, and its accuracy on the images that were held out."""

    files: Files
    accuracy: Accuracy
    metrics: dict[str, Any]
    weights_sha256: str
    hardened_sha256: str | None


def ship(
    plan: Plan, data: Dataset, files: Files, *, repeats: int = 1, on_epoch: OnEpoch
) -> Shipped:
    """Train a plan and write its files, over those that are there, when all is done.

    Args:
        plan: what to train.
        data: on what.
        files: where to.
        repeats: how many seeds are trained, from the recipe's own on; the files are of the first,
            whatever the others reach.
        on_epoch: told of each seed's epochs.

    Raises:
        LUTError: the training failed, or the disk does not take the files.
    """
    with files.staged() as stage:
        trained = _train(plan, data, on_epoch)
        accuracy, digests = _write(plan, trained, stage, data.held_out)
        first = plan.recipe.seed
        others = [
            _accuracy(plan.with_seed(seed), data, on_epoch)
            for seed in range(first + 1, first + repeats)
        ]
        metrics = _metrics(first, [accuracy, *others])
        shipped = Shipped(files, accuracy, metrics, *digests)
        _write_config(plan, trained.model, shipped, stage.config)
    return shipped


def _write(
    plan: Plan, trained: Trained, files: Files, held_out: Images
) -> tuple[Accuracy, tuple[str, str | None]]:
    """Weights, bits and picture; measured is what others will load."""
    model = trained.model
    weights = write_weights(
        files.weights, state_for_files(model), model.config, dtype=torch.float16
    )
    with pinned():
        model.load_weights(files.weights)
        accuracy = measure(model, held_out)
    hardened = None
    if files.hardened is not None:
        network = harden(model)
        network.save(files.hardened)
        hardened = network.digest
    curve.draw(files.curve, plan.name, trained.epochs, accuracy)
    return accuracy, (weights, hardened)


def _train(plan: Plan, data: Dataset, on_epoch: OnEpoch) -> Trained:
    told = partial(on_epoch, plan.recipe.seed)
    return train(plan.config, plan.recipe, data.train, data.shape, on_epoch=told)


def _accuracy(plan: Plan, data: Dataset, on_epoch: OnEpoch) -> Accuracy:
    trained = _train(plan, data, on_epoch)
    with pinned():
        return measure(trained.model, data.held_out)


def _metrics(first: int, found: Sequence[Accuracy]) -> dict[str, Any]:
    metrics: dict[str, Any] = found[0].as_json()
    if len(found) > 1:
        metrics["seeds"] = [
            {"seed": first + index, "hard": each.hard, "soft": each.soft}
            for index, each in enumerate(found)
        ]
        metrics["mean"] = {
            "hard": round(fmean(each.hard for each in found), 2),
            "soft": round(fmean(each.soft for each in found), 2),
        }
    return metrics


def _write_config(plan: Plan, model: BaseLUTModel, shipped: Shipped, path: Path) -> None:
    files = shipped.files
    config = plan.config.copy(pretrained=True, input_size=model.config.input_size)
    extras: dict[str, Any] = {
        "metrics": shipped.metrics,
        "weights": {"file": files.weights.name, "sha256": shipped.weights_sha256},
    }
    if files.hardened is not None:
        extras["hardened"] = {"file": files.hardened.name, "sha256": shipped.hardened_sha256}
    extras["train"] = {**plan.recipe.as_block(), **stack()}
    if plan.about_data:
        extras["data"] = dict(plan.about_data)
    config.to_yaml(path, extras=extras)
