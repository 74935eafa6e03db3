"""A model that is about to be exported: what it is fed, and what it answers itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pytest_potmodels.onnx_export import outputs, sizes
from pytest_potmodels.onnx_export.example_inputs import Tensors, make
from pytest_potmodels.onnx_export.nearness import distances
from pytest_potmodels.onnx_export.recipes import Recipe
from pytest_potmodels.onnx_export.sizes import Sizes

#: So many shapes must agree, the example's among them.
LEAST_ROUNDS = 4
#: Seeds of other inputs, one of which must have another answer. Few classes are often the same.
_OTHERS = (1000, 1001, 1002)


class UnfitError(Exception):
    """The model itself cannot be compared with: no strategy of export changes that."""


@dataclass(frozen=True, eq=False)
class Round:
    """One call: the sizes of the free axes, the inputs, and the model's own answer."""

    sizes: Sizes
    inputs: Tensors
    expected: Tensors


@dataclass(frozen=True, eq=False)
class Subject:
    """A model with a recipe, an example and rounds to check; the example is the first of them."""

    model: nn.Module
    recipe: Recipe
    #: Sizes that the model states, and those that a strategy fixes.
    fixed: Mapping[str, int]
    rounds: tuple[Round, ...]
    #: Rounds that the model itself refuses, and its words.
    refused: tuple[tuple[Sizes, str], ...] = ()

    @property
    def example(self) -> Round:
        """What the export traces."""
        return self.rounds[0]

    @property
    def output_names(self) -> list[str]:
        """In the order of the graph."""
        return list(self.example.expected)

    def axes_of(self, name: str) -> tuple[str | int, ...]:
        """The axes of an input: a name for a free one, a number for a fixed one."""
        (found,) = [each for each in self.recipe.inputs if each.name == name]
        return tuple(a if isinstance(a, int) else self.fixed.get(a, a) for a in found.axes)

    @property
    def dynamic(self) -> dict[str, dict[int, str]]:
        """Per input the free axes by position, as torch.export likes to be told."""
        return {
            each.name: {
                place: axis
                for place, axis in enumerate(self.axes_of(each.name))
                if isinstance(axis, str)
            }
            for each in self.recipe.inputs
        }


def prepare(model: nn.Module, recipe: Recipe, image_size: tuple[int, int] | None = None) -> Subject:
    """Feed a model, and keep what it answers.

    Raises:
        UnfitError: it cannot be fed by this recipe, or its answers say nothing.
    """
    config = getattr(model, "config", None)
    _configure(model, recipe.settings)
    try:
        fixed = sizes.fixed_sizes(recipe, config, image_size)
    except ValueError as error:
        raise UnfitError(str(error)) from error
    return _answered(model.eval(), recipe, fixed)


def _configure(model: nn.Module, settings: Mapping[str, Any]) -> None:
    """Set values of the configuration, in each part that has one of its own."""
    for config in {
        id(c): c for part in model.modules() if (c := getattr(part, "config", None))
    }.values():
        for key, value in settings.items():
            if getattr(config, key, None) is not None:
                setattr(config, key, value)


def static(subject: Subject) -> Subject:
    """The same with every axis fixed to the example's size but those that count samples.

    Raises:
        UnfitError: there is no other axis, or the model refuses.
    """
    example = subject.example.sizes
    free = [axis for axis in example if "batch" not in axis]
    if not free:
        raise UnfitError("all its free axes are batches")
    fixed = {**subject.fixed, **{axis: example[axis] for axis in free}}
    return _answered(subject.model, subject.recipe, fixed)


def _answered(model: nn.Module, recipe: Recipe, fixed: Mapping[str, int]) -> Subject:
    config = getattr(model, "config", None)
    rounds: list[Round] = []
    refused: list[tuple[Sizes, str]] = []
    for number, free in enumerate(sizes.rounds(recipe, fixed, config)):
        inputs = _fed(model, recipe, {**fixed, **free}, seed=number)
        try:
            rounds.append(Round(free, inputs, answer(model, recipe, inputs)))
        # A model may refuse a shape in any way; it is asked, not the graph.
        except Exception as error:
            if not rounds:
                raise UnfitError(f"it refuses its example: {_said(error)}") from error
            refused.append((free, _said(error)))
    if not rounds:
        raise UnfitError("no axis of its inputs is free, and one shape alone tells little")
    if len(rounds) < LEAST_ROUNDS:
        why = "; ".join(f"{dict(free)}: {said}" for free, said in refused)
        raise UnfitError(f"it takes {len(rounds)} of the shapes, {LEAST_ROUNDS} are needed ({why})")
    subject = Subject(model, recipe, fixed, tuple(rounds), tuple(refused))
    _check_answers(subject)
    return subject


def answer(model: nn.Module, recipe: Recipe, inputs: Tensors) -> Tensors:
    """What the model itself answers."""
    with torch.no_grad():
        returned = model(**{k: v.clone() for k, v in inputs.items()})
    named = outputs.named(returned, recipe.outputs, inputs)
    return {name: each.detach() for name, each in named.items()}  # A parameter may be among them.


def _fed(model: nn.Module, recipe: Recipe, size: Sizes, *, seed: int) -> Tensors:
    """Inputs, their numbers of the model's own type."""
    made = make(recipe, size, getattr(model, "config", None), seed=seed)
    known = (each.dtype for each in model.parameters() if each.is_floating_point())
    dtype = next(known, torch.float32)
    return {name: t.to(dtype) if t.is_floating_point() else t for name, t in made.items()}


def _check_answers(subject: Subject) -> None:
    """A reference that is NaN, zero, constant or random would agree with a wrong graph, or none.

    Raises:
        UnfitError: one is.
    """
    again = answer(subject.model, subject.recipe, subject.example.inputs)
    others = [_answer_to_others(subject, seed) for seed in _OTHERS]
    for name, expected in subject.example.expected.items():
        wrong = _emptiness(name, subject) or (
            "differs from call to call" if not _is_same(expected, again[name], subject) else ""
        )
        if not wrong and all(torch.equal(expected, other[name]) for other in others):
            may_be = name in subject.recipe.may_be_constant
            wrong = "" if may_be else "is the same for different inputs (are its weights trained?)"
        if wrong:
            raise UnfitError(f"its output {name} {wrong}, so nothing can be told by it")


def _answer_to_others(subject: Subject, seed: int) -> Tensors:
    others = _fed(
        subject.model, subject.recipe, {**subject.fixed, **subject.example.sizes}, seed=seed
    )
    return answer(subject.model, subject.recipe, others)


def _is_same(one: torch.Tensor, other: torch.Tensor, subject: Subject) -> bool:
    if one.shape != other.shape:
        return False
    return bool((distances(one.numpy(), other.numpy())[1] <= subject.recipe.tolerance).all())


def _emptiness(name: str, subject: Subject) -> str:
    values = [each.expected[name] for each in subject.rounds]
    if any(value.is_floating_point() and bool(value.isnan().any()) for value in values):
        return "has NaN in it"
    if values[0].dtype == torch.bfloat16:
        return "is bfloat16, which ONNX Runtime does not compute on a CPU"
    if name in subject.recipe.may_be_constant:
        return ""
    if not any(bool(value.any()) for value in values):
        return "is zero for all inputs (are its weights trained?)"
    return ""


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0] if text else ''}"[:300]
