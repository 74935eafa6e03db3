"""What a family of models is fed for its export: inputs, free axes, outputs, tolerance."""

import contextlib
import fnmatch
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import chain
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
        typed = not self.model_types or model_type in self.model_types
        return typed and self.is_for(class_name)

    def is_for(self, class_name: str) -> bool:
        """Whether it is for this class, given with its module."""
        names = (class_name, class_name.rpartition(".")[2])
        named = any(fnmatch.fnmatchcase(n, pattern) for n in names for pattern in self.classes)
        return named or not self.classes

    def lacks(self, taken: Sequence[str]) -> list[str]:
        """The inputs that a `forward` with these parameters does not take."""
        return [each.name for each in self.inputs if each.name not in taken and not each.optional]


#: What torch, numpy and ONNX call alike.
_DTYPES = (
    "bool", "uint8", "int8", "int16", "int32", "int64", "float16", "float32", "float64",
)  # fmt: skip
_MASK_AXES = 2

#: Recipes of the user's, the latest first: the one module-level state of this room.
_registered: list[Recipe] = []


def register_recipe(recipe: Recipe) -> None:
    """Have models that a recipe matches exported by it; the latest that matches decides.

    What was exported before by another recipe is not used any more.

    Raises:
        UsageError: it matches nothing, has no inputs, or something in it cannot be meant.
    """
    check(recipe)
    if recipe in _registered:
        _registered.remove(recipe)
    _registered.insert(0, recipe)


def registered() -> tuple[Recipe, ...]:
    """The recipes of the user's."""
    return tuple(_registered)


@contextlib.contextmanager
def lent(given: Sequence[Recipe]) -> Iterator[None]:
    """Have these as if they were registered, for a piece of work that came with them."""
    ours = [each for each in given if each not in _registered]
    _registered[:0] = ours
    try:
        yield
    finally:
        _registered[:] = [each for each in _registered if each not in ours]


def forget_recipes() -> None:
    """Undo every `register_recipe` of this process."""
    _registered.clear()


def check(recipe: Recipe) -> None:
    """Pass if a recipe can be followed.

    Raises:
        UsageError: it cannot, and why.
    """
    if wrong := next(chain(_wrong_texts(recipe), _wrong_values(recipe)), ""):
        raise UsageError(
            f"the recipe {recipe.family!r} {wrong}.", remedy="docs/onnx.md shows a recipe"
        )


def _wrong_texts(recipe: Recipe) -> Iterator[str]:
    """A text in place of a tuple would be taken letter by letter."""
    said: Any
    for name in ("inputs", "model_types", "classes", "outputs", "may_be_constant"):
        said = getattr(recipe, name)
        if isinstance(said, str):
            yield f"has {name} that are one text; write a tuple: ({said!r},)"
    for each in recipe.inputs:
        said = each.axes
        if isinstance(said, str):
            yield f"has axes of {each.name} that are one text; write a tuple: ({said!r},)"
        elif wrong := [axis for axis in each.axes if not _is_axis(axis)]:
            yield f"has the axis {wrong[0]!r} of {each.name}; it is a name, or a size above 0"


def _is_axis(axis: Any) -> bool:
    return axis > 0 if type(axis) is int else isinstance(axis, str) and bool(axis)


def _wrong_values(recipe: Recipe) -> Iterator[str]:
    names = [each.name for each in recipe.inputs]
    if not names:
        yield "has no inputs"
    if len({*names, *recipe.outputs}) < len(names) + len(recipe.outputs):
        yield f"has a name twice: {', '.join((*names, *recipe.outputs))}"
    if not (recipe.model_types or recipe.classes):
        yield "matches nothing: it has neither model_types nor classes"
    if not 0 < recipe.tolerance < 1:
        yield f"has the tolerance {recipe.tolerance}; it must be between 0 and 1"
    yield from (wrong for each in recipe.inputs for wrong in _wrong_input(each))
    yield from _wrong_sizes(recipe)
    try:
        json.dumps(dict(recipe.settings))
    except (TypeError, ValueError) as error:
        yield f"has settings that are no plain values: {error}"


def _wrong_sizes(recipe: Recipe) -> Iterator[str]:
    axes = {axis for each in recipe.inputs for axis in each.axes if isinstance(axis, str)}
    for axis, sizes in recipe.sizes.items():
        if axis not in axes:
            yield f"has sizes of {axis!r}, which is no axis of its inputs"
        elif not _usable(sizes):
            yield f"has unusable sizes of {axis!r}: the first, of the example, must be 2 or more"


def _wrong_input(each: Input) -> Iterator[str]:
    if each.content not in get_args(Content):
        known = ", ".join(get_args(Content))
        yield f"has the unknown content {each.content!r} of {each.name}; known are {known}"
    if each.dtype and each.dtype not in _DTYPES:
        known = ", ".join(_DTYPES)
        yield f"has the unknown dtype {each.dtype!r} of {each.name}; known are {known}"
    if not each.low <= each.high:
        yield f"has values of {each.name} from {each.low} to {each.high}: there are none"
    if each.content == "mask" and len(each.axes) < _MASK_AXES:
        yield f"has a mask {each.name} of one axis; it has one for rows, and one for places"


def _usable(sizes: Sequence[int]) -> bool:
    whole = bool(sizes) and all(type(size) is int for size in sizes)
    return whole and sizes[0] > 1 and min(sizes) > 0


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
