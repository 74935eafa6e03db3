"""Which model does a test get? One answer: `(item, fixture) -> request`.

A prefixed fixture fixes its preset. Else a name mark (`pot_model`, `requires_model`) wins over
`pot_preset`, which wins over `--pot-preset`; among marks the nearest wins; one name per kind.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from pytest_potmodels.artifacts import Kind, ModelRequest
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading.options import check as check_options
from pytest_potmodels.loading.options import check_variant
from pytest_potmodels.session.arguments import ARGUMENTS, with_runtime_values
from pytest_potmodels.session.markers import ModelMark, model_marks, preset_mark

#: Fixture -> (its preset or None for "what the marks and options say", its kind).
FIXTURES: dict[str, tuple[str | None, Kind]] = {
    "vision_model": (None, "vision"),
    "language_model": (None, "language"),
    "test_vision_model": ("test", "vision"),
    "test_language_model": ("test", "language"),
    "minimal_vision_model": ("minimal", "vision"),
    "minimal_language_model": ("minimal", "language"),
    "paper_vision_model": ("paper", "vision"),
    "paper_language_model": ("paper", "language"),
    "onnx_model": (None, "vision"),
    "test_onnx_model": ("test", "vision"),
    "minimal_onnx_model": ("minimal", "vision"),
    "paper_onnx_model": ("paper", "vision"),
    "lut_model": (None, "lut"),
}
#: How fixtures end that yield the ONNX form of a model, whatever its kind.
ONNX = "onnx_model"
#: Marks on the test itself or on its parameters, as opposed to its class or module.
BESIDE = 1


@dataclass(frozen=True)
class Wish:
    """The model of one fixture in one test, and whether only the real one will do."""

    request: ModelRequest
    required: bool = False
    #: What in the test asks for it, in words.
    because: str = ""
    #: "": the model itself; "onnx": as ONNX; "onnx-int8": as ONNX in another variant.
    form: str = ""


def wish_for(item: pytest.Item, fixture: str, catalog: Catalog, default_preset: str) -> Wish:
    """The model that a fixture yields in a test.

    Raises:
        UsageError: marks that contradict each other or the fixture, or that name nothing.
    """
    fixed, kind = FIXTURES[fixture]
    marks = marks_by_kind(item, catalog)
    form = "onnx" if fixture.endswith(ONNX) else ""
    marked = _nearest(marks.values()) if form and fixed is None else marks.get(kind)
    if fixed is not None:
        if marked is not None and marked.mark.level <= BESIDE:
            raise UsageError(
                f"{fixture} is the {fixed} preset, and {marked.written} "
                f"beside it names another {kind} model.",
                remedy=f"use {form or kind}_model with the mark, or drop the mark",
            )
        because = f"{fixture} is preset {fixed!r}"
        return Wish(catalog.preset(fixed, kind), because=because, form=form)
    if marked is not None:
        because = f"{fixture}: {marked.because}"
        form = form and form_of(marked.mark.variant)
        return Wish(marked.request, marked.mark.required, because, form)
    own = preset_mark(item)
    by = "pot_preset" if own else "the preset in force"
    preset = own or default_preset
    because = f"{fixture}: preset {preset!r}, by {by}"
    request = catalog.preset(preset, kind)
    if kind not in catalog.presets[preset]:
        because = f"{fixture} is {request.asked} where nothing names another"
    return Wish(request, because=because, form=form)


def form_of(variant: str | None) -> str:
    """The ONNX form of a variant."""
    return f"onnx-{variant}" if variant else "onnx"


def requirements(item: pytest.Item, catalog: Catalog) -> list[Wish]:
    """What a test's `requires_model` marks demand, whether a fixture yields it or not."""
    marked = marks_by_kind(item, catalog).values()
    return [Wish(m.request, required=True) for m in marked if m.mark.required]


@dataclass(frozen=True)
class Marked:
    """A mark and the model it names."""

    mark: ModelMark
    request: ModelRequest

    @property
    def because(self) -> str:
        """The mark, and where it stands."""
        places = ("the test's parameter", "the test")
        level = self.mark.level
        return f"{self.written} on {places[level] if level <= BESIDE else 'its class or module'}"

    @property
    def written(self) -> str:
        """The mark for messages: a URL in it without its secrets."""
        return f'{self.mark.marker}("{self.request.asked}")'


def marks_by_kind(item: pytest.Item, catalog: Catalog) -> dict[Kind, Marked]:
    """The nearest naming mark of each kind.

    Raises:
        UsageError: two names of one kind at the same distance, or a name that means nothing.
    """
    nearest: dict[Kind, Marked] = {}
    for mark in model_marks(item):
        found = Marked(mark, named(mark, catalog))
        rival = nearest.setdefault(found.request.kind, found)
        if rival.mark.level == mark.level and not _same(rival, found):
            raise UsageError(
                f"{rival.written} and {found.written} both name a {found.request.kind} model.",
                remedy="keep one; for more models in one test use pot_models.load(name)",
            )
        if mark.required and _same(rival, found) and not rival.mark.required:
            # The same model, asked for and required: it is required.
            nearest[found.request.kind] = found
    return nearest


def _same(one: Marked, other: Marked) -> bool:
    return one.request == other.request and one.mark.variant == other.mark.variant


def _nearest(marks: Iterable[Marked]) -> Marked | None:
    """The nearest mark, whatever the kind of its model.

    Raises:
        UsageError: there are two.
    """
    ordered = sorted(marks, key=lambda each: each.mark.level)
    if len(ordered) > 1 and ordered[0].mark.level == ordered[1].mark.level:
        one, other = ordered[:2]
        raise UsageError(
            f"{one.written} and {other.written} both name a model that {ONNX} could be of.",
            remedy="keep one; for more models in one test use pot_models.onnx(name)",
        )
    return ordered[0] if ordered else None


def check(item: pytest.Item, catalog: Catalog, default_preset: str) -> None:
    """Find every mistake in a test's marks at collection.

    Raises:
        UsageError: see `wish_for`; also a mark whose kind had to be assumed and fits no fixture.
    """
    preset = preset_mark(item)
    if preset is not None:
        catalog.check_preset(preset)
    used = [name for name in getattr(item, "fixturenames", ()) if name in FIXTURES]
    for fixture in used:
        wish_for(item, fixture, catalog, default_preset)
    kinds = {FIXTURES[name][1] for name in used}
    as_onnx = ONNX in used
    for marked in marks_by_kind(item, catalog).values():
        assumed = not marked.request.kind_known and not as_onnx
        if marked.mark.variant and used and not as_onnx:
            raise UsageError(
                f"{marked.written}: variant={marked.mark.variant!r} is a form of ONNX, and the "
                f"test uses {', '.join(used)}.",
                remedy=f"use {ONNX}, or drop the variant",
            )
        if kinds and assumed and marked.request.kind not in kinds:
            raise UsageError(
                f"{marked.written} is taken for a "
                f"{marked.request.kind} model, and the test uses {', '.join(used)}.",
                remedy=f'say what it is: {marked.written[:-1]}, kind="vision") or kind="language"',
            )


def wish_named(
    item: pytest.Item | None, request: ModelRequest, catalog: Catalog, form: str = ""
) -> Wish:
    """The wish of a test that asks for a model in its body; its `requires_model` holds there, too.

    Raises:
        UsageError: marks that contradict each other or that name nothing.
    """
    required = () if item is None else requirements(item, catalog)
    required_here = any(wish.request.id == request.id for wish in required)
    return Wish(request, required=required_here, form=form)


def named(mark: ModelMark, catalog: Catalog) -> ModelRequest:
    """The model that a mark names, with how it is to be loaded checked now rather than later.

    Raises:
        UsageError: a name, keyword or value that cannot be meant.
    """
    how = {key: getattr(mark, key) for key in ARGUMENTS if key != "variant"}
    request = catalog.request(mark.name, **how)
    check_options(request.options)
    _check_variant(request, mark.variant)
    return with_runtime_values(mark.marker, request, mark.overrides)


def _check_variant(request: ModelRequest, variant: str | None) -> None:
    """Refuse at once what no quantiser makes better: a network of convolutions.

    Raises:
        UsageError: no such variant, or not of this model.
    """
    check_variant(variant)
    if variant and request.kind == "lut":
        raise UsageError(
            f"{request.asked}: variant={variant!r} is for transformers; the ONNX form of a LUT "
            "network looks up bits, and has no numbers to make smaller.",
            remedy="leave the variant out",
        )
    if variant and (request.id.source == "torchvision" or request.architecture):
        raise UsageError(
            f"{request.asked}: variant={variant!r} is for transformers; of a convolutional network "
            "it would be no faster (the matrix products alone) or wrong (the convolutions, too).",
            remedy="leave the variant out",
        )
