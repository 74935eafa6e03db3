"""A picture of the comparison: one panel per machine, one pair of dots per model."""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.errors import StoreError
from pytest_potmodels.verification.benchmark.comparison import Compared
from pytest_potmodels.verification.benchmark.row import Row
from pytest_potmodels.verification.wanted import DEFAULT_FILE

#: Told apart without colour vision, and on paper.
_COLOURS = {"torch": "#D55E00", "onnxruntime": "#0072B2"}
_TITLES = {"torch": "PyTorch", "onnxruntime": "ONNX Runtime"}
_MARKS = {"torch": "o", "onnxruntime": "D"}
_APART = 0.17
#: A figure stands to the left of its dot.
_ROOM = 2
#: From which on a factor has no places after the point.
_WHOLE = 10


def draw(path: Path, found: Sequence[Compared], machines: Mapping[str, str]) -> None:
    """Draw the medians, with a line to the 90th percentile.

    Raises:
        MissingPackageError: matplotlib is not installed.
        StoreError: the file cannot be written.
    """
    figures = extras.require("matplotlib.figure")
    keys = sorted({each.machine_key for each in found})
    counts = [sum(each.machine_key == key for each in found) for key in keys]
    # No pyplot: it would look for a screen, and keep the figure.
    figure = figures.Figure(
        figsize=(_width(found), 1.6 + 0.75 * sum(counts) + 0.9 * len(keys)), layout="constrained"
    )
    panels = figure.subplots(len(keys), 1, squeeze=False, height_ratios=[n + 0.5 for n in counts])
    for key, (panel,) in zip(keys, panels, strict=True):
        _panel(panel, [each for each in found if each.machine_key == key], machines.get(key, key))
    said = [panel.get_legend_handles_labels() for (panel,) in panels]
    marks = {label: mark for each in said for mark, label in zip(*each, strict=True)}
    figure.legend(marks.values(), marks, loc="outside lower center", ncols=2, frameon=False)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{path} cannot be written: {error}.", remedy="name another with --plot FILE.png"
        ) from error


def _width(found: Sequence[Compared]) -> float:
    """In inches: names have any length, and the panel keeps its own."""
    return max(9.0, 6.5 + 0.09 * max((len(each.model_id) for each in found), default=0))


def _panel(panel: Any, found: Sequence[Compared], machine: str) -> None:
    # Dots on a logarithmic axis: models differ by factors of thousands, and bars begin at zero.
    panel.set_xscale("log")
    for offset, backend in ((-_APART, "torch"), (_APART, "onnxruntime")):
        rows = [(place, getattr(each, backend)) for place, each in enumerate(found)]
        _dots(panel, [(place + offset, row) for place, row in rows if row is not None], backend)
    names = Counter(each.model_id for each in found)
    labels = [_label(each, full=names[each.model_id] > 1) for each in found]
    panel.set_yticks(range(len(found)), labels)
    panel.set_ylim(len(found) - 0.4, -0.6)
    panel.set_xlabel("ms for one call: the median, and a line to the 90th percentile")
    panel.set_title(machine, loc="left", fontsize=10)
    panel.spines[["top", "right", "left"]].set_visible(b=False)
    panel.tick_params(left=False)
    panel.grid(visible=True, axis="x", color="#DDDDDD", linewidth=0.6)
    panel.set_axisbelow(b=True)
    panel.xaxis.set_major_formatter("{x:g}")
    panel.xaxis.set_minor_formatter("")
    times = [row.p50_ms for each in found for row in (each.torch, each.onnxruntime) if row]
    slow = [row.p90_ms for each in found for row in (each.torch, each.onnxruntime) if row]
    # Whole powers of ten, so that two at least are labelled.
    panel.set_xlim(_power(min(times) / _ROOM, math.floor), _power(max(slow), math.ceil))


def _power(value: float, towards: Callable[[float], int]) -> float:
    return float(10.0 ** towards(math.log10(max(value, 1e-9))))


def _dots(panel: Any, rows: Sequence[tuple[float, Row]], backend: str) -> None:
    if not rows:
        return
    middles = [row.p50_ms for _, row in rows]
    beyond = [max(0.0, row.p90_ms - row.p50_ms) for _, row in rows]
    panel.errorbar(
        middles, [place for place, _ in rows], xerr=[[0.0] * len(rows), beyond],
        fmt=_MARKS[backend], color=_COLOURS[backend], label=_TITLES[backend],
        markersize=7, elinewidth=1.5,
    )  # fmt: skip
    for place, row in rows:
        panel.annotate(
            f"{row.p50_ms:.3g}", (row.p50_ms, place), xytext=(-7, 0), textcoords="offset points",
            ha="right", va="center", fontsize=8, color="#333333",
        )  # fmt: skip


def _label(each: Compared, *, full: bool) -> str:
    """The model, and what tells its rows apart where there are several."""
    source = next((row.source for row in (each.onnxruntime, each.torch) if row is not None), "")
    facts = [source, f"{each.threads} core{'s' * (each.threads != 1)}"]
    if full:
        # Inputs are alike in their shapes, and their names are long.
        shapes = dict.fromkeys(said.rpartition(":")[2] for said in each.inputs.split())
        facts += [" ".join(shapes), *([each.file_path] if each.file_path != DEFAULT_FILE else [])]
    if each.speedup:
        facts.append(f"{each.speedup:,.0f}x" if each.speedup >= _WHOLE else f"{each.speedup:.2g}x")
    return f"{each.model_id}\n({', '.join(facts)})"
