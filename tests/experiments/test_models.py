"""Which model the words of an experiment mean."""

from typing import Any

import pytest

from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments.models import Meant, model_meant
from pytest_potmodels.settings.values import Settings


def catalog(**own: Any) -> Catalog:
    return build_catalog(own, Settings().where)


@pytest.mark.parametrize(
    ("word", "preset", "vision", "language"),
    [
        ("mock", "test", "mock-cnn", "mock-lstm"),
        ("test", "test", "mock-cnn", "mock-lstm"),
        ("minimal", "minimal", "mobilenet_v2", "distilbert-base-uncased"),
        ("mobilenet", "minimal", "mobilenet_v2", None),
        ("distilbert", "minimal", None, "distilbert-base-uncased"),
        ("paper", "paper", "resnet18", "bert-base-uncased"),
        ("resnet18", "paper", "resnet18", None),
        ("bert", "paper", None, "bert-base-uncased"),
    ],
)
def test_the_mapping(word: str, preset: str, vision: str | None, language: str | None) -> None:
    for kind, name in (("vision", vision), ("language", language)):
        if name is not None:
            assert model_meant(word, kind, catalog()) == Meant(kind, name, preset)  # type: ignore[arg-type]
        else:
            with pytest.raises(UsageError, match=f"model, not a {kind} model"):
                model_meant(word, kind, catalog())  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["resnet50", "torchvision:resnet18", "mobilenet_v2"])
def test_any_other_name_is_a_model_of_its_own(name: str) -> None:
    assert model_meant(name, "vision", catalog()) == Meant("vision", name)


def test_a_preset_of_the_users_own() -> None:
    own = catalog(presets={"huge": {"vision": "resnet152"}})
    assert model_meant("huge", "vision", own) == Meant("vision", "resnet152", "huge")


def test_a_word_that_is_a_model_means_it_where_the_preset_has_another() -> None:
    own = catalog(presets={"paper": {"vision": "resnet50"}})
    assert model_meant("resnet18", "vision", own) == Meant("vision", "resnet18")
    assert model_meant("paper", "vision", own) == Meant("vision", "resnet50", "paper")


@pytest.mark.parametrize(
    ("word", "close"),
    [("minimall", "minimal"), ("papr", "paper"), ("resnet-18", "resnet18")],
)
def test_a_misspelt_word_is_an_error_with_close_matches(word: str, close: str) -> None:
    with pytest.raises(UnknownNameError) as raised:
        model_meant(word, "vision", catalog())
    assert close in raised.value.matches
    assert "architecture" in raised.value.message


def test_a_misspelt_part_of_an_identifier_is_told_as_such() -> None:
    with pytest.raises(UnknownNameError, match="unknown source 'torchvison'"):
        model_meant("torchvison:resnet18", "vision", catalog())
