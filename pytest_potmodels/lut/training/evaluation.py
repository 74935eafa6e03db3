"""A model that is there, measured anew on what was held out and compared with its YAML."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.lut.configuration.model_config import ModelConfig
from pytest_potmodels.lut.factory import build_model
from pytest_potmodels.lut.hardened import HardenedNetwork, load_hardened, load_heldout
from pytest_potmodels.lut.training.accuracy import Accuracy, measure
from pytest_potmodels.lut.training.datasets import read_dataset
from pytest_potmodels.lut.training.images import Images
from pytest_potmodels.lut.training.stack import pinned

#: What comes with this package: measuring it takes no other one.
_SHIPPED = "digits"


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        name: with its type.
        accuracy: on what was held out.
        promised: the `metrics:` of its YAML.
        hardened: how many images its hardened file gets right; None without one.
    """

    name: str
    accuracy: Accuracy
    promised: Mapping[str, Any]
    hardened: int | None

    @property
    def trouble(self) -> str:
        """What does not agree; "" if all does. Probabilities may differ from machine to machine."""
        found = self.accuracy
        if self.hardened is not None and self.hardened != found.hard_correct:
            return (
                f"the hardened file gets {self.hardened} images right, the model "
                f"{found.hard_correct} in its deterministic mode"
            )
        said = self.promised.get("hard", found.hard)
        return f"hard is {found.hard:.2f} %, its YAML says {said} %" if said != found.hard else ""


def evaluate(name: str, folder: Path) -> Evaluation:
    """Measure a pretrained model; `folder` is where downloaded data are.

    Raises:
        LUTNameError: there is no such model.
        LUTWeightsError: it has no weights.
        LUTError: its data are not there.
    """
    files = pretrained_files.find(name)
    document = ModelConfig.read_document(files.config)
    model = build_model(name)
    images = _held_out(files.name, model.config.dataset, folder)
    with pinned():
        accuracy = measure(model, images)
    hardened = _right(load_hardened(name), images) if files.hardened else None
    return Evaluation(files.name, accuracy, document.extras.get("metrics") or {}, hardened)


def _held_out(name: str, dataset: str | None, folder: Path) -> Images:
    if dataset != _SHIPPED:
        return read_dataset(name, dataset, folder).held_out
    shipped = load_heldout(_SHIPPED)
    return Images(torch.tensor(shipped.images), torch.tensor(shipped.labels))


def _right(network: HardenedNetwork, images: Images) -> int:
    guessed = network.predict(images.pixels.numpy())
    return int((guessed == images.labels.numpy()).sum())
