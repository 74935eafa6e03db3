"""The ratios as bars against their goals."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl
from figures import Figure

mpl.use("agg")
from matplotlib import pyplot as plt
from matplotlib.ticker import FuncFormatter

INK, FAINT = "#333333", "#b8b8b8"
COLOURS = {"stretch met": "#1b7f73", "met": "#5fbfb1", "MISSED": "#d1495b"}
ROW, BAR, MARK = 0.36, 0.6, 0.42
#: Right of the bars, in shares of their width.
COLUMNS = {"ratio": 1.1, "goal": 1.22, "stretch": 1.33}


def draw(figures: Sequence[Figure], machine: str, target: Path) -> None:
    """Draw a bar for each figure that is a ratio; exact ones (a goal of 0) are in the table."""
    shown = [figure for figure in figures if figure.goal]
    if not shown:
        return
    canvas, axes = plt.subplots(figsize=(10, 1.7 + ROW * len(shown)), layout="constrained")
    marks = [x for f in shown for x in (f.ratio, f.goal, f.stretch) if x]
    left = min(marks) / 2
    axes.axvline(1, color=FAINT, linewidth=1, zorder=0)
    for at, figure in enumerate(shown):
        colour = COLOURS[figure.verdict]
        axes.barh(at, figure.ratio - left, left=left, color=colour, height=BAR)
        _marks(axes, at, figure)
    axes.set_xscale("log")
    axes.set_xlim(left, max(*marks, 1) * 1.5)
    axes.set_ylim(len(shown) - 0.4, -0.6)
    axes.set_yticks(range(len(shown)), [figure.name for figure in shown])
    axes.tick_params(axis="y", length=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.set_xlabel("ours, in units of the stock way (memory: of the file); shorter is better")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.set_title(machine, fontsize=8, color=INK, loc="left", pad=46)
    _legend(axes)
    canvas.savefig(target, dpi=130, bbox_inches="tight")
    plt.close(canvas)


def _marks(axes: "plt.Axes", at: int, figure: Figure) -> None:
    """Lines for goal and stretch, and the numbers in columns where they cover nothing."""
    for value, style in ((figure.goal, "-"), (figure.stretch, ":")):
        if value is not None:
            axes.plot([value] * 2, [at - MARK, at + MARK], style, color=INK, linewidth=2)
    across = axes.get_yaxis_transform()
    values = (figure.ratio, figure.goal, figure.stretch)
    for (name, x), value in zip(COLUMNS.items(), values, strict=True):
        if at == 0:
            axes.text(x, -0.9, name, transform=across, ha="right", color=INK, fontsize=9)
        if value is not None:
            weight = "bold" if name == "ratio" else "normal"
            said = f"{value:.4g}" if value > 1 else f"{value:.3g}"
            axes.text(x, at, said, transform=across, ha="right", va="center", fontweight=weight)


def _legend(axes: "plt.Axes") -> None:
    axes.plot([], [], color=INK, linewidth=2, label="goal")
    axes.plot([], [], ":", color=INK, linewidth=2, label="stretch goal")
    axes.plot([], [], color=FAINT, linewidth=1, label="as the stock way")
    for verdict, colour in COLOURS.items():
        axes.bar([0], [0], color=colour, label=verdict.lower())
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.04), ncols=6, fontsize=8, frameon=False)


__all__ = ["draw"]
