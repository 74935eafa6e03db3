"""Recipes as values, and which one a model gets."""

import json
from typing import Any

import numpy as np
import pytest
import torch
from onnx_export.conftest import in_process
from onnx_export.zoo import FAMILIES, OTHERS
from torch import nn

from pytest_potmodels.errors import UsageError
from pytest_potmodels.onnx_export import (
    Input,
    Recipe,
    example_inputs,
    inference,
    recipes,
    recorded,
    register_recipe,
    sample_file,
    sizes,
    subject,
)
from pytest_potmodels.onnx_export.inference import NotInferredError
from pytest_potmodels.onnx_export.recipe_table import RECIPES

X = Input("x", ("batch", 4))


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.family)
def test_a_recipe_of_the_table_is_one_that_a_user_may_register(recipe: Recipe) -> None:
    recipes.check(recipe)
    assert recipes.from_json(json.loads(json.dumps(recipes.as_json(recipe)))) == recipe


def test_families_have_names_of_their_own() -> None:
    names = [recipe.family for recipe in RECIPES]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        (Recipe("r", (), classes=("A",)), "has no inputs"),
        (Recipe("r", (X, X), classes=("A",)), "has a name twice: x, x"),
        (Recipe("r", (X,), classes=("A",), outputs=("y", "x")), "has a name twice: x, y, x"),
        (Recipe("r", (X,)), "matches nothing"),
        (Recipe("r", (X,), classes=("A",), tolerance=0), "has the tolerance 0"),
        (Recipe("r", (X,), classes=("A",), tolerance=2), "has the tolerance 2"),
        (Recipe("r", (Input("x", (1,), "text"),), classes=("A",)), "unknown content"),  # type: ignore[arg-type]
        (Recipe("r", (X,), classes=("A",), sizes={"batch": (1, 2)}), "unusable sizes"),
        (Recipe("r", (X,), classes=("A",), sizes={"batch": ()}), "unusable sizes"),
        (Recipe("r", (X,), classes=("A",), sizes={"batch": (2, 0)}), "unusable sizes"),
        (Recipe("r", (X,), classes=("A",), sizes={"batch": "82"}), "unusable sizes"),  # type: ignore[dict-item]
        (Recipe("r", (X,), classes=("A",), sizes={"bach": (2, 1)}), "'bach', which is no axis"),
        (Recipe("r", (X,), model_types="bert"), r"write a tuple: \('bert',\)"),  # type: ignore[arg-type]
        (Recipe("r", (Input("x", "batch"),), classes=("A",)), "axes of x that are one text"),  # type: ignore[arg-type]
        (Recipe("r", (Input("x", ("batch", 0)),), classes=("A",)), "the axis 0 of x"),
        (Recipe("r", (Input("x", (3,), dtype="int63"),), classes=("A",)), "unknown dtype 'int63'"),
        (Recipe("r", (Input("x", (3,), low=5),), classes=("A",)), "from 5 to 1: there are none"),
        (Recipe("r", (Input("x", (3,), "mask"),), classes=("A",)), "a mask x of one axis"),
        (Recipe("r", (X,), classes=("A",), settings={"a": X}), "settings that are no plain"),
    ],
)
def test_a_recipe_that_cannot_be_followed_is_refused(recipe: Recipe, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        register_recipe(recipe)
    assert recipe not in recipes.registered()


@pytest.mark.parametrize(
    ("name", "family"),
    [
        *[(name, name.partition("-")[0]) for name in ("bert", "bert-classifier", "gpt2", "t5")],
        ("t5-encoder", "t5-encoder"), ("vit", "vit"), ("hf-resnet", "cnn"), ("clip", "clip"),
        ("clip-text", "clip-text"), ("clip-vision", "clip-vision"), ("whisper", "whisper"),
        ("whisper-encoder", "whisper-encoder"), ("whisper-decoder", "whisper-decoder"),
        ("wav2vec2-ctc", "wav2vec2"), ("fnet", "by rule"), ("siglip", "by rule"),
        ("ast", "by rule"), ("layoutlm", "by rule"),
    ],
)  # fmt: skip
def test_a_model_gets_the_recipe_of_its_family(name: str, family: str) -> None:
    family = {"gpt2": "gpt", "t5": "encoder-decoder"}.get(family, family)
    found = inference.recipe_of({**FAMILIES, **OTHERS}[name].model())
    assert found.family == family
    assert len({each.name for each in found.inputs}) == len(found.inputs)


def test_segments_are_fed_where_the_model_and_the_tokenizer_have_them() -> None:
    def fed(name: str, emitted: tuple[str, ...] = ()) -> bool:
        found = inference.recipe_of(FAMILIES[name].model(), emitted=emitted)
        return "token_type_ids" in [each.name for each in found.inputs]

    assert fed("bert")
    assert fed("bert", ("input_ids", "token_type_ids"))
    assert not fed("bert", ("input_ids", "attention_mask"))
    assert not fed("roberta")
    assert not fed("distilbert")


def test_a_classifier_of_an_encoder_decoder_gets_no_decoder_input() -> None:
    from onnx_export.zoo import _SEQ2SEQ, Case  # noqa: PLC0415

    model = Case("BartForSequenceClassification", _SEQ2SEQ).model()
    assert [e.name for e in inference.recipe_of(model).inputs] == ["input_ids", "attention_mask"]


class Mixer(nn.Module):
    """A model of the user's own: rows of numbers, as many as one likes, and a scale."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(4, 3)

    def forward(self, rows: torch.Tensor, scale: torch.Tensor) -> dict[str, torch.Tensor]:
        mixed = self.layer(rows) * scale[:, None, None]
        return {"mixed": mixed, "total": mixed.sum(1)}


def test_a_model_that_says_nothing_needs_a_recipe() -> None:
    with pytest.raises(NotInferredError, match=r"nothing says what a .*Mixer is fed"):
        inference.recipe_of(Mixer())


def test_the_latest_recipe_that_matches_decides(own_recipes: None) -> None:
    first = Recipe("first", (Input("rows", ("batch", 4)),), classes=("Mixer",))
    second = Recipe("second", (Input("rows", ("batch", "count", 4)),
                               Input("scale", ("batch",))), classes=("*.Mixer",))  # fmt: skip
    other = Recipe("other", (X,), classes=("Other",))
    for each in (first, second, other):
        register_recipe(each)
    found = inference.recipe_of(Mixer(), recipes.registered())
    assert found.family == "second"
    register_recipe(first)
    assert inference.recipe_of(Mixer(), recipes.registered()).family == "first"
    assert len(recipes.registered()) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        [1],
        {},
        {"rows": torch.ones(2, dtype=torch.bfloat16)},
        {"rows": [[1], [1, 2]]},
        {"rows": None},
    ],
)
def test_a_sample_call_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(UsageError, match="give each call as"):
        sample_file.arrays([wrong])


def test_a_sample_call_that_the_model_refuses_is_told() -> None:
    with pytest.raises(NotInferredError, match=r"refuses a sample call: .*'row'"):
        recorded.recipe_of(Mixer(), [{"row": np.ones(2)}, {"row": np.ones(3)}])


def calls(*shapes: tuple[int, int]) -> tuple[dict[str, Any], ...]:
    generator = np.random.default_rng(0)
    return tuple(
        {"rows": generator.normal(size=(batch, count, 4)).astype("float32"),
         "scale": generator.uniform(1, 2, size=batch).astype("float32")}
        for batch, count in shapes
    )  # fmt: skip


def test_recorded_calls_show_the_inputs_and_the_free_axes(tmp_path: Any) -> None:
    samples = sample_file.read(str(sample_file.write(calls((2, 5), (3, 7)), tmp_path)))
    found = recorded.recipe_of(Mixer(), samples)
    assert [(each.name, each.axes) for each in found.inputs] == [
        ("rows", ("batch", "rows_1", 4)), ("scale", ("batch",)),
    ]  # fmt: skip
    assert found.sizes["rows_1"][0] == 7
    assert max(found.sizes["batch"]) > 3
    made = subject.prepare(Mixer(), found)
    (tmp_path / "out").mkdir()
    facts = in_process("dynamo", made, tmp_path / "out")
    assert facts["outputs"] == [
        {"name": "mixed", "dtype": "float32", "axes": ["batch", "rows_1", 3]},
        {"name": "total", "dtype": "float32", "axes": ["batch", 3]},
    ]


class Pooled(nn.Module):
    """Takes words, a mask, which of them count, and one number."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, 4)

    def forward(
        self, ids: torch.Tensor, mask: torch.Tensor, keep: torch.Tensor, by: torch.Tensor
    ) -> torch.Tensor:
        counted: torch.Tensor = self.words(ids) * (mask * keep)[..., None] * by
        return counted.sum(1)


def words(rows: int, length: int) -> dict[str, Any]:
    draw = np.random.default_rng(rows)
    return {
        "ids": draw.integers(3, 50, (rows, length)),
        "mask": np.ones((rows, length), "int64"),
        "keep": draw.random((rows, length)) > 0.5,
        "by": torch.tensor(float(rows)),
    }


def test_calls_with_integers_truth_values_and_one_number_show_them_too() -> None:
    found = recorded.recipe_of(Pooled(), sample_file.arrays([words(2, 5), words(3, 7)]))
    said = [(each.content, each.dtype, each.axes) for each in found.inputs]
    assert said == [
        ("integers", "int64", ("batch", "ids_1")), ("mask", "", ("batch", "ids_1")),
        ("integers", "bool", ("batch", "ids_1")), ("numbers", "float32", ()),
    ]  # fmt: skip
    assert 3 <= found.inputs[0].low < found.inputs[0].high < 50
    made = subject.prepare(Pooled(), found)
    assert made.example.inputs["keep"].dtype == torch.bool
    assert len(made.rounds) >= 4


def test_calls_that_do_not_have_the_same_inputs_show_too_little() -> None:
    one, other = words(2, 5), words(3, 7)
    del one["keep"]
    with pytest.raises(NotInferredError, match="not all sample calls have keep"):
        recorded.recipe_of(Pooled(), sample_file.arrays([one, other]))


def test_a_model_with_no_free_axis_is_told_so() -> None:
    fixed = Recipe("fixed", (Input("rows", (2, 3, 4)), Input("scale", (2,))), classes=("*",))
    with pytest.raises(subject.UnfitError, match="no axis of its inputs is free"):
        subject.prepare(Mixer(), fixed)


def test_one_call_does_not_show_which_axes_are_free() -> None:
    with pytest.raises(NotInferredError, match="give two"):
        recorded.recipe_of(Mixer(), calls((2, 5)))


def test_samples_are_tensors_or_arrays() -> None:
    (found,) = sample_file.arrays([{"x": torch.ones(2, requires_grad=True), "y": [1, 2]}])
    assert (found["x"].dtype, found["y"].tolist()) == (np.dtype("float32"), [1, 2])
    with pytest.raises(UsageError, match="x is of type"):
        sample_file.arrays([{"x": ["a word"]}])


def test_inputs_are_the_same_for_the_same_seed() -> None:
    recipe = inference.recipe_of(FAMILIES["bert"].model())
    config: Any = FAMILIES["bert"].model().config
    one, same, other = (
        example_inputs.make(recipe, {"batch": 3, "sequence": 9}, config, seed=seed)
        for seed in (1, 1, 2)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not torch.equal(one["input_ids"], other["input_ids"])
    mask = one["attention_mask"].bool()
    ids, pad = one["input_ids"], config.pad_token_id
    assert set(ids[~mask].tolist()) == {pad}
    assert pad not in ids[mask].tolist()


def test_no_text_is_longer_than_the_model_takes() -> None:
    model = FAMILIES["whisper"].model()
    found = inference.recipe_of(model)
    fixed = sizes.fixed_sizes(found, model.config, None)
    lengths = [each["decoder_sequence"] for each in sizes.rounds(found, fixed, model.config)]
    assert max(lengths) <= 40
    assert fixed == {"mel_bins": 16, "mel_frames": 40}


def test_a_size_that_the_model_does_not_state_is_named() -> None:
    recipe = Recipe("r", (Input("x", ("batch", "config.width")),), classes=("*",))
    with pytest.raises(ValueError, match=r"does not state config\.width"):
        sizes.fixed_sizes(recipe, object(), None)
