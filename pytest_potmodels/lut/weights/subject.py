"""What this room needs to know of a model; models know this room, so it cannot know them."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from torch import nn

from pytest_potmodels.lut.configuration import ModelConfig


class Subject(Protocol):
    """A LUT network: a module of torch with a configuration, and an encoder once it is built."""

    config: ModelConfig

    def __init__(self, config: ModelConfig) -> None: ...

    @property
    def encoder(self) -> nn.Module | None:
        """None until the input size is known."""

    def state_dict(self) -> dict[str, Any]:
        """Tensors by name."""

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> Any:
        """Take tensors by name."""

    def named_modules(self) -> Iterator[tuple[str, nn.Module]]:
        """All modules."""

    def named_children(self) -> Iterator[tuple[str, nn.Module]]:
        """The modules that are attributes."""
