"""What the child does: load the model, learn what it is fed, go one strategy, describe the file."""

import inspect
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from pytest_potmodels import loading
from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.errors import PotModelsError, UsageError, close_matches
from pytest_potmodels.onnx_export import (
    conversion,
    inference,
    recorded,
    sample_file,
    subject,
)
from pytest_potmodels.onnx_export import order as orders
from pytest_potmodels.onnx_export.conversion import Say
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.onnx_export.recipes import Recipe


def done(said: Mapping[str, Any], rung: str, folder: Path, samples: str, say: Say) -> Any:
    """Fill the folder with a file that has passed the gate; give the facts about it.

    Whatever goes wrong goes through.
    """
    # Sums of one thread are the same on every machine of a kind; the optimizer folds constants.
    torch.set_num_threads(1)
    order = orders.from_json(said, sample_file.read(samples) if samples else ())
    say(f"loading {order.stored.id}")
    loader = loading.loader_of(order.stored.format)
    built = loader.build(order.stored, order.options)
    dressed = loader.dress(order.stored, order.options, built.model, built.facts)
    model = _part(built.model, order)
    recipe = _recipe(model, order, dressed, say)
    made = subject.prepare(model, recipe, _image_size(recipe, dressed))
    facts = conversion.convert(rung, made, folder, opset=order.opset, say=say)
    return {**facts, "cpu_seconds": round(time.process_time(), 1)}


def _part(model: Any, order: Order) -> Any:
    """The submodule that was asked for.

    Raises:
        UsageError: there is none of that name.
    """
    if not order.part:
        return model
    known = dict(model.named_modules())
    if order.part not in known:
        near = close_matches(order.part, [name for name in known if name])
        meant = f" Did you mean {' or '.join(near)}?" if near else ""
        raise UsageError(f"{order.stored.id} has no part {order.part!r}.{meant}")
    return known[order.part].eval()


def _recipe(model: Any, order: Order, dressed: LoadedModel, say: Say) -> Recipe:
    if order.samples:
        return recorded.recipe_of(model, order.samples, order.recipes)
    emitted = _emitted(model, dressed, say)
    try:
        return inference.recipe_of(model, order.recipes, emitted, family=order.family)
    except UsageError as error:
        raise UsageError(f"{order.stored.id}: {error.message}", remedy=error.remedy) from error


def _emitted(model: Any, dressed: LoadedModel, say: Say) -> tuple[str, ...]:
    """What the tokenizer gives. It takes a second to load, and is asked about one input only."""
    if "token_type_ids" not in inspect.signature(model.forward).parameters:
        return ()
    try:
        return tuple(dressed.tokenizer.model_input_names) if dressed.tokenizer else ()
    except PotModelsError as error:
        say(f"the tokenizer was not asked which inputs it gives: {error.message}")
        return ()


def _image_size(recipe: Recipe, dressed: LoadedModel) -> tuple[int, int] | None:
    """What the model's own preparation of images gives."""
    if not any("image_height" in each.axes for each in recipe.inputs):
        return None
    transforms = dressed.transforms
    if crop := getattr(transforms, "crop_size", None):
        return int(crop[0]), int(crop[0])
    processor = getattr(dressed.processor, "image_processor", dressed.processor)
    for name in ("crop_size", "size"):
        size = getattr(processor, name, None)
        if name == "crop_size" and not getattr(processor, "do_center_crop", False):
            continue
        if isinstance(size, Mapping) and {"height", "width"} <= set(size):
            return int(size["height"]), int(size["width"])
    return None
