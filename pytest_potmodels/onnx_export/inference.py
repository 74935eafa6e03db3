"""The inputs of a model that no recipe is for, read off its class and its configuration."""

import inspect
from collections.abc import Mapping
from dataclasses import replace

from torch import nn

from pytest_potmodels.onnx_export import family_names
from pytest_potmodels.onnx_export.recipe_table import CNN_TOLERANCE, RECIPES
from pytest_potmodels.onnx_export.recipes import Input, Recipe
from pytest_potmodels.onnx_export.sizes import stated

_PICTURE = ("channels", "image_height", "image_width")
#: What transformers calls inputs -> what they are.
_KNOWN: Mapping[str, Input] = {
    each.name: each
    for each in (
        Input("input_ids", ("batch", "sequence"), "ids"),
        Input("attention_mask", ("batch", "sequence"), "mask"),
        Input("token_type_ids", ("batch", "sequence"), "segments", optional=True),
        Input("bbox", ("batch", "sequence", 4), "integers", low=1, high=1),
        Input("decoder_input_ids", ("batch", "decoder_sequence"), "ids"),
        Input("pixel_values", ("batch", *_PICTURE), "pixels"),
        Input("input_values", ("batch", "samples")),
        Input("input_features", ("batch", "mel_bins", "mel_frames")),
    )
}
#: Kinds of input that a class of transformers says it takes -> the input.
_MODALITIES = {"text": "input_ids", "image": "pixel_values"}
_VIDEO = Input("pixel_values", ("batch", "config.num_frames", *_PICTURE), "pixels")
_SPECTROGRAM = Input("input_values", ("batch", "config.max_length", "config.num_mel_bins"))


class NotInferredError(Exception):
    """Nothing says what the model is fed."""


def recipe_of(
    model: nn.Module,
    own: tuple[Recipe, ...] = (),
    emitted: tuple[str, ...] = (),
    *,
    family: str = "",
) -> Recipe:
    """The recipe of a model: the user's, the table's, or one made by rule.

    Args:
        model: what is exported.
        own: recipes of the user's.
        emitted: names of what the model's tokenizer gives; none: it has none.
        family: what the model is said to be; "": its own type and class tell.

    Raises:
        NotInferredError: there is none, and the class does not say what it takes.
        UsageError: it cannot be fed as models of that family are.
    """
    class_name = f"{type(model).__module__}.{type(model).__qualname__}"
    if family:
        taken = list(inspect.signature(model.forward).parameters)
        return _fitted(family_names.chosen(family, own, class_name, taken), model, emitted)
    model_type = str(getattr(getattr(model, "config", None), "model_type", ""))
    known = (each for each in (*own, *RECIPES) if each.matches(model_type, class_name))
    return _fitted(next(known, None) or _by_rule(model), model, emitted)


def _fitted(recipe: Recipe, model: nn.Module, emitted: tuple[str, ...]) -> Recipe:
    """The recipe with the inputs that this class takes, in the order of its `forward`."""
    taken = list(inspect.signature(model.forward).parameters)
    if lacks := recipe.lacks(taken):
        raise NotInferredError(
            f"the recipe {recipe.family!r} feeds {', '.join(lacks)}, which {type(model).__name__}"
            f".forward({', '.join(taken)}) does not take"
        )
    kept = [
        each for each in recipe.inputs if each.name in taken and _is_wanted(each, model, emitted)
    ]
    return replace(recipe, inputs=tuple(sorted(kept, key=lambda each: taken.index(each.name))))


def _is_wanted(each: Input, model: nn.Module, emitted: tuple[str, ...]) -> bool:
    if not each.optional:
        return True
    if each.content == "segments" and _kinds_of_segments(model) <= 1:
        return False
    return not emitted or each.name in emitted


def _kinds_of_segments(model: nn.Module) -> int:
    kinds = stated(getattr(model, "config", None), "type_vocab_size")
    return kinds if isinstance(kinds, int) else 0


def _by_rule(model: nn.Module) -> Recipe:
    """What the attributes of a transformers class say."""
    main = getattr(model, "main_input_name", None)
    if not isinstance(main, str):
        raise NotInferredError(
            f"nothing says what a {type(model).__module__}.{type(model).__qualname__} is fed"
        )
    taken = inspect.signature(model.forward).parameters
    wanted = {main, *_beside(model, main)} & set(taken)
    inputs = [_input_of(name, model) for name in taken if name in wanted]
    if not inputs:
        raise NotInferredError(f"{type(model).__name__} does not take {main}, its own main input")
    tolerance = CNN_TOLERANCE if main == "pixel_values" else 1e-4
    return Recipe("by rule", tuple(_paired(inputs, model)), classes=("*",), tolerance=tolerance)


def _beside(model: nn.Module, main: str) -> set[str]:
    modalities = getattr(model, "input_modalities", ())
    modalities = (modalities,) if isinstance(modalities, str) else tuple(modalities or ())
    names = {_MODALITIES[each] for each in modalities if each in _MODALITIES}
    if "input_ids" in names | {main}:
        names |= {"attention_mask", "token_type_ids", "bbox"}
    if stated(model.config, "is_encoder_decoder") and "Encoder" not in type(model).__name__:
        names.add("decoder_input_ids")
    return names


def _input_of(name: str, model: nn.Module) -> Input:
    config = getattr(model, "config", None)
    if name == "pixel_values" and "video" in str(getattr(model, "input_modalities", "")):
        return _VIDEO
    if name == "input_values" and stated(config, "num_mel_bins"):
        return _SPECTROGRAM
    if name not in _KNOWN:
        raise NotInferredError(f"nothing says what {name} of {type(model).__name__} is")
    return _KNOWN[name]


def _paired(inputs: list[Input], model: nn.Module) -> list[Input]:
    """A model that compares texts with images takes any number of each."""
    if not hasattr(model, "get_text_features") or "pixel_values" not in {e.name for e in inputs}:
        return inputs
    parts = {
        "input_ids": "text_batch",
        "attention_mask": "text_batch",
        "pixel_values": "image_batch",
    }
    return [
        replace(each, axes=(parts[each.name], *each.axes[1:])) if each.name in parts else each
        for each in inputs
    ]
