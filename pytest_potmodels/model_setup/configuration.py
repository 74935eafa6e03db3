"""What a setup is asked for: a preset's model, and how far to go without it."""

from dataclasses import astuple, dataclass
from enum import StrEnum
from typing import Any

from pytest_potmodels.artifacts import Kind
from pytest_potmodels.catalog.entries import PRESET_KINDS
from pytest_potmodels.errors import UnknownNameError


class ModelPreset(StrEnum):
    """The shipped presets; a preset of the user's own is given by its name."""

    TEST = "test"
    MINIMAL = "minimal"
    PAPER = "paper"


@dataclass
class ModelConfig:
    """One model as an experiment asks for it; may be changed between loads.

    Attributes:
        name: a label for reports; it picks nothing.
        model_type: "vision" or "language"; `get_vision_model` and `get_language_model` go by
            their own name instead, so that one configuration serves both.
        preset: whose model it is.
        device: "cpu", "cuda" or "cuda:1".
        seed: of whatever files do not fix: a mock's weights, a head for a new task.
        verify_checksum: compare with `expected_checksum` after loading. Files are checked
            against their digests either way.
        fallback_to_mock: never fail for a model that cannot be had; give its mock, with a
            warning, and the CPU where CUDA is missing. False raises instead.
        memory_limit_mb: MiB of parameters and buffers beyond which a model is not taken.
        expected_checksum: the `checksum` that the real model must have.
    """

    name: str
    model_type: str
    preset: ModelPreset | str = ModelPreset.MINIMAL
    device: str = "cpu"
    seed: int = 42
    verify_checksum: bool = True
    fallback_to_mock: bool = True
    memory_limit_mb: float | None = None
    expected_checksum: str | None = None

    def checked_type(self) -> Kind:
        """The model type, if it is one.

        Raises:
            UnknownNameError: neither vision nor language.
        """
        for kind in PRESET_KINDS:
            if kind == self.model_type:
                return kind
        remedy = f"one of: {', '.join(PRESET_KINDS)}"
        raise UnknownNameError("model type", self.model_type, PRESET_KINDS, remedy=remedy)

    def key(self) -> tuple[Any, ...]:
        """All values as they are now; equal for configurations that ask for the same."""
        return astuple(self)
