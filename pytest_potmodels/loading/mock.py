"""Load a stand-in: no files, the seed of the options."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading import lut
from pytest_potmodels.loading.built import Built
from pytest_potmodels.loading.placement import number_type
from pytest_potmodels.mocks import build_mock


def build(stored: StoredModel, options: LoadOptions) -> Built:
    """The stand-in of the stored model's kind."""
    if stored.kind == "lut":
        return lut.build(stored, options)
    mock = build_mock(stored.kind, seed=options.seed)
    return Built(mock.model.eval().to(dtype=number_type(options)), {"mock": mock})


def dress(
    stored: StoredModel, options: LoadOptions, model: nn.Module, facts: Mapping[str, Any]
) -> LoadedModel:
    """The stand-in with its tokenizer or transforms."""
    if stored.kind == "lut":
        return lut.dress(stored, options, model, facts)
    mock = facts["mock"]
    return LoadedModel(
        id=stored.id,
        model=model,
        source="mock",
        kind=stored.kind,
        tokenizer=mock.tokenizer,
        transforms=mock.transforms,
        categories=mock.categories,
        config=mock.config,
    )
