"""How many images a network gets right: on probabilities, and on the bits that are shipped."""

from dataclasses import dataclass
from typing import Any

import torch

from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.training.images import Images

#: The modes that are compared; neither draws anything.
_SOFT, _HARD = "expectation", "deterministic"


@dataclass(frozen=True)
class Accuracy:
    """Images that are right, of how many; `soft` and `hard` in per cent with two decimals."""

    soft_correct: int
    hard_correct: int
    images: int

    @property
    def soft(self) -> float:
        """Of the network as it was trained."""
        return _percent(self.soft_correct, self.images)

    @property
    def hard(self) -> float:
        """Of its bits: what a hardened file computes."""
        return _percent(self.hard_correct, self.images)

    @property
    def gap(self) -> float:
        """What hardening costs, in percentage points."""
        return round(self.soft - self.hard, 2)

    def as_json(self) -> dict[str, Any]:
        """The figures as a YAML's `metrics` and `--json` have them."""
        return {"soft": self.soft, "hard": self.hard, "gap": self.gap, "images": self.images}


def measure(model: BaseLUTModel, images: Images) -> Accuracy:
    """Count what a model gets right, in both modes; it is in training or not as before."""
    training = model.training
    model.eval()
    try:
        soft, hard = (_correct(model, images, mode) for mode in (_SOFT, _HARD))
    finally:
        model.train(training)
    return Accuracy(soft, hard, len(images))


def _correct(model: BaseLUTModel, images: Images, mode: str) -> int:
    right = 0
    with torch.inference_mode():
        for batch in images.batches():
            guessed = model(batch.pixels, eval_mode=mode).argmax(1)
            right += int((guessed == batch.labels).sum())
    return right


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2)
