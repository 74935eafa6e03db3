"""The ratios as bars against their goals."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from figures import Figure

mpl.use("agg")
from matplotlib import pyplot as plt

MET, MISSED, MARK, INK = "#2a9d8f", "#d1495b", "#1d3557", "#333333"
ROW = 0.42
EDGE = 1.35


def draw(figures: Sequence[Figure], machine: str, target: Path) -> None:
    """Draw a bar for each figure that is a ratio; exact ones (a goal of 0) are in the table."""
    shown = [figure for figure in figures if figure.goal > 0][::-1]
    if not shown:
        return
    canvas, axes = plt.subplots(figsize=(10, 1.6 + ROW * len(shown)), layout="constrained")
    rows = range(len(shown))
    colours = [MET if figure.ratio <= figure.goal else MISSED for figure in shown]
    smallest = min(min(figure.ratio, figure.goal, figure.stretch or 9) for figure in shown)
    left = smallest / 3
    axes.barh(rows, [f.ratio - left for f in shown], left=left, color=colours, height=0.55)
    for at, figure in enumerate(shown):
        _marks(axes, at, figure)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set_xscale("log")
    axes.set_xlim(left, max(figure.goal for figure in shown) * 6)
    axes.set_yticks(rows, [figure.name for figure in shown])
    axes.set_xlabel("ours in units of the stock way (memory: of the file); shorter is better")
    axes.set_title(machine, fontsize=8, color=INK, loc="left")
    axes.spines[["top", "right"]].set_visible(False)
    _legend(axes)
    canvas.savefig(target, dpi=130)
    plt.close(canvas)


def _marks(axes: "plt.Axes", at: int, figure: Figure) -> None:
    axes.plot([figure.goal] * 2, [at - 0.38, at + 0.38], color=MARK, linewidth=2.2)
    if figure.stretch is not None:
        axes.plot([figure.stretch] * 2, [at - 0.38, at + 0.38], ":", color=MARK, linewidth=1.6)
    end = max(figure.ratio, figure.goal) * EDGE
    paper = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    axes.text(end, at, f"{figure.ratio:.3g}", va="center", fontsize=9, color=INK, bbox=paper)


def _legend(axes: "plt.Axes") -> None:
    axes.plot([], [], color=MARK, linewidth=2.2, label="goal")
    axes.plot([], [], ":", color=MARK, linewidth=1.6, label="stretch")
    axes.bar([0], [0], color=MET, label="met")
    axes.bar([0], [0], color=MISSED, label="missed")
    axes.legend(loc="upper right", ncols=4, fontsize=8, frameon=False, bbox_to_anchor=(1, 1.12))


__all__ = ["draw"]
