"""What one forward pass is: how LUTs are read, and which noise is put on their inputs."""

from dataclasses import dataclass, field
from typing import Literal

import torch

from pytest_potmodels.lut.gradients import Stabilization

#: How a LUT is read: its smooth extension, its bits, or bits drawn with its probabilities.
Mode = Literal["soft", "hard", "sample"]
#: What the configuration calls them.
MODES: dict[str, Mode] = {
    "expectation": "soft",
    "deterministic": "hard",
    "threshold": "hard",
    "hard": "hard",
    "sampling": "sample",
}


@dataclass(frozen=True)
class Pass:
    """One forward pass.

    Args:
        mode: how LUTs are read.
        temperature: divides the logits; greater than 0.
        flip: the probability with which a bit becomes its opposite.
        flip_everywhere: before every layer, not only the first.
        dropout: the probability with which an input of a layer becomes 0.5; training only.
        generator: where the noise comes from; None is torch's global generator.
        training: whether dropout and the stabilisation of gradients apply.
        stabilization: what happens to the gradients of each layer's outputs.
    """

    mode: Mode = "soft"
    temperature: float = 1.0
    flip: float = 0.0
    flip_everywhere: bool = False
    dropout: float = 0.0
    generator: torch.Generator | None = None
    training: bool = False
    stabilization: Stabilization = field(default_factory=Stabilization)
