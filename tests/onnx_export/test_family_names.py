"""What a model is said to be: it leads to a recipe, to a file of its own, or to a refusal."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from onnx_export.asking import open_cache, request
from onnx_export.zoo import FAMILIES
from torch import nn

from pytest_potmodels import onnx_export
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.onnx_export import Input, Recipe, family_names, inference, order, recipes
from pytest_potmodels.onnx_export.exporting import _order
from pytest_potmodels.onnx_export.order import Order

MINE = Recipe("mine", (Input("input_ids", ("batch", "sequence"), "ids"),), ("bert",))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What the exporter reads of a model before it is loaded."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps({"model_type": "bert"}))
    (tmp_path / "model" / "model.safetensors").write_bytes(b"")
    return tmp_path


@pytest.fixture
def usual(folder: Path) -> Order:
    """The order for it, of which nothing is said."""
    pipeline, wanted = open_cache(folder / "cache"), request(f"file:{folder / 'model'}")
    return _order(pipeline, pipeline.acquire(wanted), wanted)


def names_of(model: nn.Module, family: str) -> list[str]:
    return [each.name for each in inference.recipe_of(model, family=family).inputs]


def test_a_model_is_fed_as_what_it_is_said_to_be() -> None:
    bert = FAMILIES["bert"].model()
    assert names_of(bert, "") == ["input_ids", "attention_mask", "token_type_ids"]
    assert names_of(bert, "roberta") == names_of(bert, "")
    assert names_of(bert, "gpt2") == ["input_ids", "attention_mask"]
    assert inference.recipe_of(FAMILIES["vit"].model(), family="cnn").tolerance == 1e-3


def test_what_a_class_alone_tells_is_of_its_family_too() -> None:
    assert inference.recipe_of(FAMILIES["t5-encoder"].model(), family="t5").family == "t5-encoder"
    assert inference.recipe_of(FAMILIES["clip-text"].model(), family="clip").family == "clip-text"


def test_the_latest_recipe_of_that_name_decides() -> None:
    bert = FAMILIES["bert"].model()
    assert inference.recipe_of(bert, (MINE,), family="mine").family == "mine"
    assert inference.recipe_of(bert, (MINE,), family="bert").family == "mine"
    assert inference.recipe_of(bert, (MINE,), family="distilbert").family == "bert"


@pytest.mark.parametrize(
    ("name", "family", "told"),
    [
        ("bert", "vit", "vit feeds pixel_values, which forward"),
        ("bert", "t5", "encoder-decoder feeds decoder_input_ids"),
        ("resnet18", "bert", "a ResNet cannot be exported as 'bert': bert feeds input_ids"),
        ("resnet18", "cnn", "cnn feeds pixel_values, which forward.x. does not take"),
    ],
)
def test_what_it_cannot_be_is_refused_with_a_reason(name: str, family: str, told: str) -> None:
    with pytest.raises(UsageError, match=told) as caught:
        inference.recipe_of(FAMILIES[name].model(), family=family)
    assert "leave it out" in caught.value.remedy


def test_another_family_asks_for_another_file(usual: Order) -> None:
    steered = order.steered(usual, "gpt", ())
    assert steered.family == "gpt"
    assert steered.key != usual.key
    assert order.from_json(steered.as_json()).key == steered.key


@pytest.mark.parametrize("family", ["", "bert", "roberta"])
def test_what_the_model_says_itself_asks_for_the_same_file(usual: Order, family: str) -> None:
    assert order.steered(usual, family, ()).key == usual.key


def test_what_a_networks_name_tells_asks_for_the_same_file(usual: Order) -> None:
    network = replace(usual, stored=replace(usual.stored, architecture="vit_b_16", files=()))
    assert order.steered(network, "vit", ()).family == ""
    assert order.steered(network, "cnn", ()).family == "cnn"


def test_what_came_as_onnx_is_not_converted_whatever_is_said(usual: Order) -> None:
    came = replace(usual, stored=replace(usual.stored, format="onnx"))
    assert order.steered(came, "gpt", ()) is came


def test_a_recipe_of_the_users_is_known_by_its_name(usual: Order, own_recipes: None) -> None:
    other = replace(MINE, family="theirs", model_types=("other",))
    assert order.steered(usual, "theirs", (other, MINE)).recipes == (other,)
    with pytest.raises(UnknownNameError, match="'theirs'"):
        order.steered(usual, "theirss", (other,))
    assert "theirs" not in family_names.names(recipes.registered())


@pytest.mark.slow  # two processes that import what an export needs
def test_a_file_is_made_as_asked_or_not_at_all(tmp_path: Path) -> None:
    FAMILIES["bert"].model().save_pretrained(tmp_path / "bert")  # type: ignore[operator]
    pipeline, wanted = open_cache(tmp_path / "cache"), request(f"file:{tmp_path / 'bert'}")
    with pytest.raises(UsageError, match="bert: a BertModel cannot be exported as 'vit'"):
        onnx_export.exported(pipeline, wanted, family="vit")
    assert not list((tmp_path / "cache" / "derived").glob("onnx-*"))
    found = onnx_export.exported(pipeline, wanted, family="gpt")
    assert (found.recipe, [each.name for each in found.inputs]) == (
        "gpt", ["input_ids", "attention_mask"],
    )  # fmt: skip
    assert onnx_export.find(pipeline, wanted) is None
    again = onnx_export.find(pipeline, wanted, family="gpt")
    assert again is not None
    assert again.digest == found.digest
