"""What an experiment's function gets."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.experiments.configuration import ExperimentConfig


@dataclass(frozen=True)
class ExperimentContext:
    """One repeat of an experiment: the plan, the model, a generator, a folder.

    Attributes:
        config: a copy of the plan for this repeat.
        models: by kind, pristine.
        seed: of this repeat.
        repeat: counted from 0.
        folder: where `artifacts` will be.
    """

    config: ExperimentConfig
    models: Mapping[str, LoadedModel]
    seed: int
    repeat: int
    folder: Path

    @property
    def model(self) -> LoadedModel:
        """The model of the experiment's type."""
        return self.models[self.config.model_type]

    @property
    def parameters(self) -> dict[str, Any]:
        """The plan's parameters."""
        return self.config.parameters

    @cached_property
    def rng(self) -> Any:
        """A `numpy.random.Generator` with the repeat's seed."""
        return extras.require("numpy").random.default_rng(self.seed)

    @cached_property
    def artifacts(self) -> Path:
        """A folder for files of this repeat, made when it is first asked for."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder
