"""What is to be trained: a configuration, its recipe, and what its YAML says beside them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_potmodels.lut import pretrained_files
from pytest_potmodels.lut.configuration.model_config import ModelConfig
from pytest_potmodels.lut.training.recipe import Recipe, recipe_of

_YAML = (".yaml", ".yml")


@dataclass(frozen=True)
class Plan:
    """A training that can begin; `about_data` is the YAML's `data:` block, carried along."""

    name: str
    config: ModelConfig
    recipe: Recipe
    about_data: Mapping[str, Any]

    def with_seed(self, seed: int) -> "Plan":
        """The same with another seed."""
        return replace(self, recipe=replace(self.recipe, seed=seed))


def plan_of(target: str, *, seed: int | None = None) -> Plan:
    """The plan in a YAML file, or in that of a pretrained model; `seed` over the recipe's.

    Raises:
        LUTError: no such file, or one that cannot be meant; with file and line.
        LUTNameError: no such model; with close matches.
    """
    is_file = target.endswith(_YAML)
    path = Path(target) if is_file else pretrained_files.find(target).config
    document = ModelConfig.read_document(path)
    config = ModelConfig.from_document(document)
    recipe = recipe_of(path.stem, document.extras.get("train") or {})
    named = config.copy(pretrained_name=path.stem)
    plan = Plan(path.stem, named, recipe, document.extras.get("data") or {})
    return plan if seed is None else plan.with_seed(seed)
