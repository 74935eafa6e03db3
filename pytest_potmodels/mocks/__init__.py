"""Stand-in networks: the interface of the real ones, no pretrained weights, nothing to download.

They are what the TEST preset asks for, and what an announced fallback puts in a model's place.
They need torch alone, and the same seed gives the same bits in every process.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from pytest_potmodels.artifacts import Kind
from pytest_potmodels.mocks.language import LanguageConfig, MockLanguageModel
from pytest_potmodels.mocks.tokenizer import MockTokenizer
from pytest_potmodels.mocks.vision import CATEGORIES, MockTransforms, MockVisionModel
from pytest_potmodels.mocks.weights import build

__all__ = ["Mock", "build_mock"]


@dataclass(frozen=True, eq=False)
class Mock:
    """The parts of a stand-in, as a loader hands them on."""

    model: nn.Module
    tokenizer: MockTokenizer | None = None
    transforms: MockTransforms | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    categories: tuple[str, ...] = ()


def build_mock(kind: Kind, *, seed: int = 0) -> Mock:
    """Build the stand-in of a kind, in evaluation mode, on the CPU.

    The global random state is neither read nor moved.
    """
    builders: dict[Kind, Callable[[int], Mock]] = {"vision": _vision, "language": _language}
    return builders[kind](seed)


def _vision(seed: int) -> Mock:
    return Mock(
        model=build(MockVisionModel, seed=seed),
        transforms=MockTransforms(),
        config={"architecture": "mock-cnn", "num_classes": len(CATEGORIES), "seed": seed},
        categories=CATEGORIES,
    )


def _language(seed: int) -> Mock:
    config = LanguageConfig()
    return Mock(
        model=build(lambda: MockLanguageModel(config), seed=seed),
        tokenizer=MockTokenizer(),
        config={**config.to_dict(), "architecture": "mock-lstm", "seed": seed},
    )
