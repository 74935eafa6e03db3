"""Two runs side by side: each thing that differs, by name, and what that says."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pytest_potmodels.errors import UsageError
from pytest_potmodels.experiments.result_files import read_result
from pytest_potmodels.experiments.results import ExperimentResult, Repeat, figures

Cause = Literal[
    "status", "pin", "seed", "version", "config", "code", "environment", "weights", "metric"
]
#: What stands for a value that only the other run has.
ABSENT = "(absent)"
COLUMNS = ("what", "name", "a", "b", "absolute", "relative")


@dataclass(frozen=True)
class Difference:
    """One thing that differs; `absolute` and `relative` for figures only, with b's minus a's."""

    what: Cause
    name: str
    a: Any
    b: Any
    absolute: float | None = None
    relative: float | None = None


@dataclass(frozen=True)
class Comparison:
    """What differs between two runs.

    Attributes:
        a, b: the ids of the runs.
        differences: causes first, then weights and metrics.
        same_plan: whether both were to do the same.
        same_machine: whether processor, cores and device are the same.
        metrics_equal: whether both ended, and every figure is the same within the tolerance.
        figures: how many figures were compared.
        tolerance: the absolute or relative difference that counted as none.
    """

    a: str
    b: str
    differences: tuple[Difference, ...]
    same_plan: bool
    same_machine: bool
    metrics_equal: bool
    figures: int
    tolerance: float

    @property
    def verdict(self) -> str:
        """One line: plan, machine, metrics."""
        plan = "same plan" if self.same_plan else "different plans"
        machine = "same machine" if self.same_machine else "different machines"
        return f"{plan}, {machine}, {self._metrics}"

    @property
    def table(self) -> tuple[tuple[str, ...], ...]:
        """A row of text for each difference, under COLUMNS."""
        return tuple(
            (each.what, each.name, _cell(each.a), _cell(each.b),
             _change(each.absolute), _change(each.relative))
            for each in self.differences
        )  # fmt: skip

    def as_json(self) -> dict[str, Any]:
        """Everything in JSON's types."""
        return {**asdict(self), "verdict": self.verdict}

    def __str__(self) -> str:
        rows = ["  ".join(filter(None, row)) for row in self.table]
        return "\n".join([*rows, self.verdict])

    @property
    def _metrics(self) -> str:
        if any(each.what == "status" for each in self.differences):
            return "metrics not compared: not both have finished"
        if not self.metrics_equal:
            count = sum(each.what == "metric" for each in self.differences)
            return f"{count} of {self.figures} metrics differ"
        return f"metrics equal within {self.tolerance:g}" if self.tolerance else "metrics bit-equal"


def compare(
    a: ExperimentResult | str | Path, b: ExperimentResult | str | Path, *, tolerance: float = 0.0
) -> Comparison:
    """Name everything that differs between two runs.

    Args:
        a: a result, or its file.
        b: another.
        tolerance: two figures whose absolute or relative difference is no larger are the same; by
            default only equal bits are.

    Raises:
        UsageError: a file that is no result or damaged, or a tolerance below 0.
    """
    if not (tolerance >= 0 and math.isfinite(tolerance)):
        raise UsageError(f"tolerance is {tolerance!r}, expected a number of at least 0.")
    one, two = (
        each if isinstance(each, ExperimentResult) else read_result(each) for each in (a, b)
    )
    metrics = list(_metrics(one, two, tolerance))
    known = {keys for each in _figures(one, two) for keys in each}
    found = (*_status(one, two), *_causes(one, two), *_weights(one, two), *metrics)
    ended = one.status == two.status == "finished"
    return Comparison(
        a=one.run_id,
        b=two.run_id,
        differences=found,
        same_plan=one.plan == two.plan != "",
        same_machine=one.environment.get("machine") == two.environment.get("machine"),
        metrics_equal=ended and not metrics,
        figures=len(known),
        tolerance=tolerance,
    )


def _status(a: ExperimentResult, b: ExperimentResult) -> Iterator[Difference]:
    if not a.status == b.status == "finished":
        yield Difference("status", "status", a.status, b.status)


def _causes(a: ExperimentResult, b: ExperimentResult) -> Iterator[Difference]:
    yield from _unequal("pin", _pins(a), _pins(b))
    (config_a, seed_a), (config_b, seed_b) = (_without(each.config, "seed") for each in (a, b))
    yield from _unequal("seed", seed_a, seed_b)
    (rest_a, versions_a), (rest_b, versions_b) = (
        _without(each.environment, "versions") for each in (a, b)
    )
    yield from _unequal("version", *(each.get("versions", {}) for each in (versions_a, versions_b)))
    yield from _unequal("config", config_a, config_b)
    (rest_a, git_a), (rest_b, git_b) = (_without(rest, "git") for rest in (rest_a, rest_b))
    code = ({**asdict(each.code), **git} for each, git in ((a, git_a), (b, git_b)))
    yield from _unequal("code", *code)
    yield from _unequal("environment", rest_a, rest_b)


def _pins(result: ExperimentResult) -> dict[str, Any]:
    return {pin.kind: pin.identity() for pin in result.models}


def _without(table: Mapping[str, Any], key: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The table without a key, and the key's part of it."""
    rest = {name: value for name, value in table.items() if name != key}
    return rest, {key: table[key]} if key in table else {}


def _unequal(what: Cause, a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    one, two = dict(figures(a)), dict(figures(b))
    for keys in _in_order(one, two):
        mine, other = one.get(keys, ABSENT), two.get(keys, ABSENT)
        if mine != other:
            yield Difference(what, ".".join(keys), mine, other)


def _weights(a: ExperimentResult, b: ExperimentResult) -> Iterator[Difference]:
    """Weights that ought to be the same: those of repeats with one seed."""
    for one, two in zip(a.repeats, b.repeats, strict=False):
        if one.seed == two.seed:
            for moment in ("before", "after"):
                key = f"checksum_{moment}"
                sums = getattr(one, key), getattr(two, key)
                if sums[0] != sums[1]:
                    name = ".".join((*_repeat(one, (a, b)), key))
                    yield Difference("weights", name, *sums)


def _metrics(a: ExperimentResult, b: ExperimentResult, tolerance: float) -> Iterator[Difference]:
    one, two = _figures(a, b)
    for keys in _in_order(one, two):
        mine, other = one.get(keys, ABSENT), two.get(keys, ABSENT)
        if not _same(mine, other, tolerance):
            yield Difference("metric", ".".join(keys), mine, other, *_distance(mine, other))


def _figures(*results: ExperimentResult) -> list[dict[tuple[str, ...], Any]]:
    """All figures of each result; named by repeat, too, where one has several."""
    return [
        {
            (*_repeat(each, results), *keys): value
            for each in result.repeats
            for keys, value in figures(each.metrics)
        }
        for result in results
    ]


def _repeat(repeat: Repeat, results: Iterable[ExperimentResult]) -> tuple[str, ...]:
    several = any(len(result.repeats) > 1 for result in results)
    return (f"repeat {repeat.index}",) if several else ()


def _in_order(a: Mapping[Any, Any], b: Mapping[Any, Any]) -> list[Any]:
    return [*a, *(key for key in b if key not in a)]


def _same(a: Any, b: Any, tolerance: float) -> bool:
    if not (_is_number(a) and _is_number(b)):
        return type(a) is type(b) and bool(a == b)
    if tolerance:
        return math.isclose(a, b, rel_tol=tolerance, abs_tol=tolerance)
    return a == b and math.copysign(1, a) == math.copysign(1, b)


def _distance(a: Any, b: Any) -> tuple[float | None, float | None]:
    if not (_is_number(a) and _is_number(b)):
        return None, None
    absolute = float(b - a)
    relative = absolute / abs(a) if a else math.inf
    return _finite(absolute), _finite(relative)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)


def _change(value: float | None) -> str:
    return "" if value is None else f"{value:+.3g}"
