"""The plan of a run: which models the selected tests need, as a table and as JSON."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from pytest_potmodels.addresses import displayed
from pytest_potmodels.reporting.terminal import Line, pin
from pytest_potmodels.session.outlook import Outlook, Room, State
from pytest_potmodels.transfer.disk import FREE_SPACE, in_units

_HEAD = ("model", "id", "revision", "tests", "required", "size", "state")
_FIGURES = frozenset({"tests", "size"})
_COLOURS: dict[State, str] = {
    "cached": "green",
    "to fetch": "cyan",
    "mock": "cyan",
    "unavailable": "yellow",
}


def table(models: Sequence[Outlook], room: Room) -> list[Line]:
    """One line for each model, what is to be fetched in all, and whether that fits the disk."""
    if not models:
        return [Line("the selected tests need no model", "bold")]
    grid = [_HEAD, *(_cells(each) for each in models)]
    widths = [max(len(row[i]) for row in grid) for i in range(len(_HEAD))]
    lines = ["  ".join(_aligned(row, widths)).rstrip() for row in grid]
    colours = ["bold", *(_COLOURS[each.state] for each in models)]
    told = [Line(text, colour) for text, colour in zip(lines, colours, strict=True)]
    return [*told, *_totals(models, room)]


def as_json(models: Sequence[Outlook]) -> str:
    """An array with an object for each model; the same text for the same models and cache."""
    return json.dumps([_object(each) for each in models], indent=2)


def _cells(model: Outlook) -> tuple[str, ...]:
    need = model.need
    state: str = model.state
    if model.reason:
        # Whole, because the end of the sentence names the option that is in the way.
        state += f": {model.reason}: {' '.join(model.why.split())}"
    required = "yes" if need.required else "-"
    revision = pin(model.revision or "") or "-"
    asked = ", ".join(need.asked)
    tests = str(len(need.tests))
    return (asked, _id(model), revision, tests, required, _size(model), state)


def _id(model: Outlook) -> str:
    """Without a revision that the next column has."""
    known = model.need.request.id
    return str(replace(known, revision=None) if known.revision == model.revision else known)


def _size(model: Outlook) -> str:
    if model.state == "mock":
        return "-"
    return in_units(model.size) if model.size is not None else "unknown"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> Iterator[str]:
    for name, cell, width in zip(_HEAD, row, widths, strict=True):
        yield cell.rjust(width) if name in _FIGURES else cell.ljust(width)


def _totals(models: Sequence[Outlook], room: Room) -> Iterator[Line]:
    tests = {test for model in models for test in model.need.tests}
    counts = Counter(model.state for model in models)
    said = [f"{counts[state]} {state}" for state in _COLOURS if counts[state]]
    yield Line(
        f"{_counted(len(tests), 'test')} with models, {_counted(len(models), 'model')}: "
        f"{', '.join(said)}",
        "bold",
    )
    fetched = [model for model in models if model.state == "to fetch"]
    at_least = "at least " if any(model.size is None for model in fetched) else ""
    wanted, free = at_least + in_units(room.wanted), in_units(room.free)
    yield Line(f"{wanted} to fetch, {free} free in {room.folder}", "bold")
    if room.wanted > room.free:
        yield Line(f"warning: that is not enough; {FREE_SPACE}", "red")


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' if count != 1 else ''}"


def _object(model: Outlook) -> dict[str, Any]:
    need = model.need
    return {
        "name": need.asked[0],
        "asked": list(need.asked),
        "id": str(need.request.id),
        "source": need.request.id.source,
        "revision": model.revision,
        "kind": need.request.kind,
        "weights": displayed(need.request.weights) if need.request.weights else None,
        "architecture": need.request.architecture,
        "required": need.required,
        "state": model.state,
        "cached": model.state == "cached",
        "reason": model.reason or None,
        "size": model.size,
        "files": [{"path": path, "size": size} for path, size in sorted(model.files)],
        "tests": sorted(need.tests),
        "because": list(need.because),
    }
