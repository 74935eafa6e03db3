"""Stand-ins through the loader."""

from pathlib import Path

import pytest
import torch

from pytest_potmodels.artifacts import Kind, LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading import load


def _load(kind: Kind, options: LoadOptions | None = None) -> LoadedModel:
    stored = StoredModel(ModelId("mock", kind), Path(), kind, "mock", ())
    return load(stored, options or LoadOptions(), device="cpu")


def test_a_mock_says_that_it_is_one() -> None:
    loaded = _load("vision")
    assert (loaded.source, loaded.is_mock) == ("mock", True)
    assert (loaded.digest, loaded.path, loaded.revision) == ("", None, None)


def test_its_parts_are_there() -> None:
    vision, language = _load("vision"), _load("language")
    assert vision(torch.rand(1, 3, 8, 8)).shape == (1, len(vision.categories))
    assert vision.transforms is not None
    tokens = language.tokenizer("hi", return_tensors="pt")
    assert language(**tokens).last_hidden_state.shape[-1] == language.config["hidden_size"]
    assert round(vision.memory_mb, 1) == 1.0
    assert round(language.memory_mb, 1) == 1.7


@pytest.mark.parametrize("kind", ["vision", "language"])
def test_the_seed_decides_the_weights(kind: Kind) -> None:
    first, again = _load(kind).checksum, _load(kind).checksum
    assert first == again
    assert first != _load(kind, LoadOptions(seed=1)).checksum


def test_dtype_applies() -> None:
    model = _load("vision", LoadOptions(dtype="bfloat16")).model
    assert {parameter.dtype for parameter in model.parameters()} == {torch.bfloat16}
