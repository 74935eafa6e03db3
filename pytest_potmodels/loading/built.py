"""What a loader's stock way comes to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True, eq=False)
class Built:
    """A model on the CPU, in evaluation mode, in the number type asked for.

    `facts` are plain values: what a skeleton of the same model, and its tokenizer and classes,
    need to know beside the files.
    """

    model: nn.Module
    facts: Mapping[str, Any]
