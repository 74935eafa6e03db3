"""What a family of models is fed for its export: inputs, free axes, outputs, tolerance."""

import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from pytest_potmodels.errors import UsageError

#: What an example input holds.
Content = Literal["ids", "mask", "segments", "pixels", "noise", "integers", "numbers"]


@dataclass(frozen=True)
class Input:
    """One input of `forward`.

    An axis is a number; a size that the model states (`channels`, `image_height`, `image_width`,
    `mel_bins`, `mel_frames`, `config.KEY`); or any other word: the name of a free axis.
    """

    name: str
    axes: tuple[str | int, ...]
    content: Content = "noise"
    #: Fed only where `forward` takes it and, if there is a tokenizer, the tokenizer gives it.
    optional: bool = False
    #: The least and the largest value of "integers" and "numbers".
    low: float = 0
    high: float = 1
    #: The torch type of "integers" and "numbers"; "": int64 and float32.
    dtype: str = ""


@dataclass(frozen=True)
class Recipe:
    """How models of a family are exported. It is for a model whose type and class both match.

    Args:
        family: a name for people; the manifest keeps it.
        inputs: what is fed.
        model_types: values of `config.model_type`; none: any.
        classes: shell patterns of class names, or of names with their module; none: any.
        outputs: names of the outputs in order; none: the keys of what the model returns.
        tolerance: the largest error of an output, relative to its largest value.
        sizes: per free axis the size in the example, then the sizes to check.
        settings: values of the configuration that are set before the export.
        may_be_constant: outputs that need not depend on the inputs.
    """

    family: str
    inputs: tuple[Input, ...]
    model_types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    tolerance: float = 1e-4
    sizes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=lambda: {"use_cache": False})
    may_be_constant: tuple[str, ...] = ()

    def matches(self, model_type: str, class_name: str) -> bool:
        """Whether it is for this `config.model_type` and this class, given with its module."""
        if not (self.model_types or self.classes):
            return False
        names = (class_name, class_name.rpartition(".")[2])
        named = any(fnmatch.fnmatchcase(n, pattern) for n in names for pattern in self.classes)
        return (not self.model_types or model_type in self.model_types) and (
            not self.classes or named
        )


#: Recipes of the user's, the latest first: the one module-level state of this room.
_registered: list[Recipe] = []


def register_recipe(recipe: Recipe) -> None:
    """Have models that a recipe matches exported by it; the latest that matches decides.

    What was exported before by another recipe is not used any more.

    Raises:
        UsageError: it matches nothing, has no inputs, or something in it cannot be meant.
    """
    check(recipe)
    if recipe not in _registered:
        _registered.insert(0, recipe)


def registered() -> tuple[Recipe, ...]:
    """The recipes of the user's."""
    return tuple(_registered)


def forget_recipes() -> None:
    """Undo every `register_recipe` of this process."""
    _registered.clear()


def check(recipe: Recipe) -> None:
    """Pass if a recipe can be followed.

    Raises:
        UsageError: it cannot, and why.
    """
    if wrong := _wrong(recipe):
        raise UsageError(
            f"the recipe {recipe.family!r} {wrong}.", remedy="docs/onnx.md shows a recipe"
        )


def _wrong(recipe: Recipe) -> str:
    names = [each.name for each in recipe.inputs]
    contents = [each.content for each in recipe.inputs if each.content not in get_args(Content)]
    sizes = [axis for axis, known in recipe.sizes.items() if not _usable(known)]
    faults = {
        "has no inputs": not names,
        f"has an input twice: {', '.join(names)}": len(set(names)) < len(names),
        "matches nothing: it has neither model_types nor classes": not (
            recipe.model_types or recipe.classes
        ),
        f"has the tolerance {recipe.tolerance}; it must be between 0 and 1": not (
            0 < recipe.tolerance < 1
        ),
        f"has the unknown content {contents[:1]}; known are {', '.join(get_args(Content))}": bool(
            contents
        ),
        f"has unusable sizes of {sizes[:1]}: the first, of the example, must be 2 or more": bool(
            sizes
        ),
    }
    return next((fault for fault, found in faults.items() if found), "")


def _usable(sizes: Sequence[int]) -> bool:
    return bool(sizes) and sizes[0] > 1 and min(sizes) > 0


def as_json(recipe: Recipe) -> dict[str, Any]:
    """A recipe as plain values."""
    said = asdict(recipe)
    return {
        name: dict(value) if isinstance(value, Mapping) else value for name, value in said.items()
    }


def from_json(said: Mapping[str, Any]) -> Recipe:
    """A recipe as it was before `as_json`, and JSON."""
    inputs = tuple(Input(**{**each, "axes": tuple(each["axes"])}) for each in said["inputs"])
    sizes = {axis: tuple(values) for axis, values in said["sizes"].items()}
    tuples = {
        each.name: tuple(said[each.name])
        for each in fields(Recipe)
        if isinstance(said[each.name], list | tuple)
    }
    return Recipe(**{**said, **tuples, "inputs": inputs, "sizes": sizes})
