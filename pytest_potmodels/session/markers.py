"""Read `pot_model`, `requires_model` and `pot_preset`, nearest first, and check their arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.session.arguments import ARGUMENTS

NAMING = ("pot_model", "requires_model")
PRESET = "pot_preset"


@dataclass(frozen=True)
class ModelMark:
    """A `pot_model` or `requires_model` mark, checked."""

    marker: str
    name: str
    kind: str | None = None
    task: str | None = None
    auto_class: str | None = None
    dtype: str | None = None
    architecture: str | None = None
    variant: str | None = None
    #: Runtime values of a LUT network; of another model every one is a mistake.
    overrides: Mapping[str, Any] = field(default_factory=dict)
    #: How near the test it stands: 0 parametrize, 1 function, then class, bases, module, package.
    level: int = 1

    @property
    def required(self) -> bool:
        """Whether only the real model will do."""
        return self.marker == "requires_model"


def model_marks(item: pytest.Item) -> list[ModelMark]:
    """All naming marks of a test, nearest first.

    Raises:
        UsageError: a missing name, an unknown or ill-typed argument.
    """
    return [
        _model_mark(mark, level)
        for level, marks in enumerate(_levels(item))
        for mark in marks
        if mark.name in NAMING
    ]


def preset_mark(item: pytest.Item) -> str | None:
    """The preset that the nearest `pot_preset` mark names.

    Raises:
        UsageError: a missing name or an unknown argument.
    """
    for marks in _levels(item):
        for mark in marks:
            if mark.name == PRESET:
                return _preset_name(mark)
    return None


def _levels(item: pytest.Item) -> Iterator[Sequence[pytest.Mark]]:
    """Marks by nearness: parametrize, function, class, its bases, module, package.

    pytest's own get_closest_marker puts a function's marks before those of its parametrization,
    so a parameter could not override its function.
    """
    callspec = getattr(item, "callspec", None)
    parametrized: Sequence[pytest.Mark] = tuple(callspec.marks) if callspec else ()
    yield parametrized
    yield [m for m in item.own_markers if not any(m is p for p in parametrized)]
    for node in reversed(item.listchain()[:-1]):
        if isinstance(node, pytest.Class):
            yield from _class_levels(node)
        else:
            yield node.own_markers


def _class_levels(node: pytest.Class) -> Iterator[Sequence[pytest.Mark]]:
    """A class, then its bases: pytest keeps the marks of all of them in one list."""
    own, *inherited = [_written_on(base) for base in node.obj.__mro__]
    known = {id(mark) for marks in (own, *inherited) for mark in marks}
    yield [*(mark for mark in node.own_markers if id(mark) not in known), *own]
    yield from inherited


def _written_on(base: type) -> list[pytest.Mark]:
    written: Any = vars(base).get("pytestmark", [])
    marks: list[Any] = written if isinstance(written, list) else [written]
    return [getattr(mark, "mark", mark) for mark in marks]


def said_in(what: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Keywords that any model takes, and the rest: runtime values, if it is of a LUT network.

    Raises:
        UsageError: a value of the first that is no string.
    """
    own = {key: value for key, value in arguments.items() if key in ARGUMENTS}
    for key, value in own.items():
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{what}: {key}={value!r} is no string.")
    return own, {key: value for key, value in arguments.items() if key not in ARGUMENTS}


def _model_mark(mark: pytest.Mark, level: int) -> ModelMark:
    own, rest = said_in(mark.name, mark.kwargs)
    name = _single_name(mark)
    return ModelMark(marker=mark.name, name=name, level=level, overrides=rest, **own)


def _preset_name(mark: pytest.Mark) -> str:
    if mark.kwargs:
        raise UsageError(f"{PRESET} takes one name and no keyword, not {sorted(mark.kwargs)}.")
    return _single_name(mark)


def _single_name(mark: pytest.Mark) -> str:
    example = "paper" if mark.name == PRESET else "bert"
    remedy = f'write @pytest.mark.{mark.name}("{example}")'
    if len(mark.args) != 1:
        raise UsageError(f"{mark.name} takes one name, got {len(mark.args)}.", remedy=remedy)
    name = mark.args[0]
    if not isinstance(name, str):
        raise UsageError(f"{mark.name}: {name!r} is no string.", remedy=remedy)
    return name
