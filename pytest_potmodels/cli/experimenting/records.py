"""Results of experiments as JSON values, as lines and as tables for people."""

import statistics
from collections.abc import Sequence
from typing import Any

from pytest_potmodels.cli.tables import Table
from pytest_potmodels.experiments.models import ModelPin
from pytest_potmodels.experiments.result_files import Listed
from pytest_potmodels.experiments.results import ExperimentResult, figures

_SHOWN_METRICS = 3


def as_json(result: ExperimentResult) -> dict[str, Any]:
    """All that is on record, and where."""
    return {**result.as_json(), "path": str(result.path)}


def listed_as_json(listed: Listed) -> dict[str, Any]:
    """A result without its environment and its code; `status` "damaged" where it is none."""
    path, result = str(listed.path), listed.result
    if result is None:
        return {"name": listed.path.parent.name, "status": "damaged", "why": listed.damage,
                "path": path}  # fmt: skip
    known = result.as_json()
    keys = ("name", "run_id", "status", "started", "plan", "is_mock", "models", "seconds")
    return {
        **{key: known[key] for key in keys},
        "seed": result.config["seed"],
        "metrics": [each.metrics for each in result.repeats],
        "path": path,
    }


def listing(listed: Sequence[Listed]) -> Table:
    """A line per result."""
    columns = ("name", "run", "status", "model", "seed", "repeats", "metrics")
    rows = tuple(
        _row(each.result) if each.result else (each.path.parent.name, each.path.stem, "damaged",
                                               "-", "-", "-", "-")
        for each in listed
    )  # fmt: skip
    return Table(columns, rows, frozenset({"seed", "repeats"}))


def facts(result: ExperimentResult) -> list[str]:
    """What ran, a fact per line; a mock is named as one."""
    function, total = (result.seconds.get(key, 0.0) for key in ("function", "total"))
    return [
        f"{result.name} {result.run_id}",
        *(f"  model    {_model(pin)}" for pin in result.models),
        *(f"  weights  {_weights(result)}" for _ in result.models),
        f"  seed     {', '.join(str(each.seed) for each in result.repeats)}",
        f"  plan     {result.plan}",
        f"  time     {function:.2f} s in the function, {total:.2f} s in all",
    ]


def metrics(result: ExperimentResult) -> Table:
    """A line per figure: its value, or with several repeats their mean, deviation and bounds."""
    rows = [dict(figures(each.metrics)) for each in result.repeats]
    names = list(dict.fromkeys(keys for row in rows for keys in row))
    if len(rows) == 1:
        cells = tuple((".".join(keys), str(rows[0][keys])) for keys in names)
        return Table(("metric", "value"), cells, frozenset({"value"}))
    columns = ("metric", "mean", "deviation", "least", "most")
    lines = tuple((".".join(keys), *_spread([row.get(keys) for row in rows])) for keys in names)
    return Table(columns, lines, frozenset(columns[1:]))


def _row(result: ExperimentResult) -> tuple[str, ...]:
    shown = [f"{'.'.join(keys)}={_short(value)}" for keys, value in figures(result.metrics)]
    more = ", ..." if len(shown) > _SHOWN_METRICS else ""
    models = ", ".join(pin.id + (" (mock)" if pin.substitute else "") for pin in result.models)
    return (
        result.name,
        result.run_id,
        result.status,
        models or "-",
        str(result.config["seed"]),
        f"{len(result.repeats)}/{result.config['repeats']}",
        (", ".join(shown[:_SHOWN_METRICS]) + more) or "-",
    )


def _model(pin: ModelPin) -> str:
    if pin.substitute:
        return f"{pin.id}, a MOCK that stands in for {pin.asked} ({pin.substitute}): {pin.why}"
    if pin.is_mock:
        return f"{pin.id}, a MOCK without real weights, as asked for"
    revision = f" at {pin.revision}" if pin.revision else ""
    return f"{pin.id}{revision}, sha256 {pin.digest}"


def _weights(result: ExperimentResult) -> str:
    changed = sum(each.changed_model for each in result.repeats)
    if not changed:
        return "unchanged by the function"
    often = f" in {changed} of {len(result.repeats)} repeats" if len(result.repeats) > 1 else ""
    return f"changed by the function{often}"


def _spread(values: list[Any]) -> tuple[str, str, str, str]:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) < len(values):  # Words, nan, or a figure that not every repeat has.
        return (", ".join(dict.fromkeys(str(value) for value in values)), "-", "-", "-")
    spread = (statistics.mean(numbers), statistics.stdev(numbers), min(numbers), max(numbers))
    mean, deviation, least, most = map(_short, spread)
    return mean, deviation, least, most


def _short(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
