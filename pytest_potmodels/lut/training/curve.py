"""A picture of a training: the loss of each epoch, and how the accuracy came."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.training.accuracy import Accuracy
from pytest_potmodels.lut.training.loop import Epoch

#: Told apart without colour vision, and on paper.
_SOFT, _HARD, _LOSS = "#0072B2", "#D55E00", "#333333"
#: Below the lowest accuracy that is shown, in points: an error of a few images is to be seen.
_MARGIN = 1.0
_FLOOR = 80.0


def draw(path: Path, name: str, epochs: Sequence[Epoch], held_out: Accuracy) -> None:
    """Draw loss above accuracy; the held-out images, seen once, are marks at the end.

    Raises:
        MissingPackageError: matplotlib is not installed.
        LUTError: the file cannot be written.
    """
    figures = extras.require("matplotlib.figure")
    # No pyplot: it would look for a screen, and keep the figure.
    figure = figures.Figure(figsize=(7, 5.5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    figure.suptitle(name, x=0.02, ha="left", fontsize=11)
    _loss(above, epochs)
    _accuracy(below, epochs, held_out)
    for panel in (above, below):
        panel.spines[["top", "right"]].set_visible(b=False)
        panel.grid(visible=True, color="#DDDDDD", linewidth=0.6)
        panel.set_axisbelow(b=True)
    below.xaxis.get_major_locator().set_params(integer=True)
    figure.legend(loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=110, metadata={"Software": None})
    except OSError as error:
        raise LUTError(
            f"{path} cannot be written: {error.strerror or error}.",
            remedy="name another folder with --out DIR",
        ) from error


def _loss(panel: Any, epochs: Sequence[Epoch]) -> None:
    panel.plot(
        [each.number for each in epochs], [each.loss for each in epochs], color=_LOSS, linewidth=1.2
    )
    panel.set_ylabel("training loss")
    panel.set_ylim(bottom=0)


def _accuracy(panel: Any, epochs: Sequence[Epoch], held_out: Accuracy) -> None:
    looks = [(each.number, each.accuracy) for each in epochs if each.accuracy is not None]
    numbers = [number for number, _ in looks]
    soft, hard = [seen.soft for _, seen in looks], [seen.hard for _, seen in looks]
    panel.plot(numbers, soft, "-", color=_SOFT, linewidth=1.4, label="soft, training images")
    panel.plot(numbers, hard, "--", color=_HARD, linewidth=1.4, label="hard, training images")
    last = epochs[-1].number
    style = {"linestyle": "none", "clip_on": False, "markersize": 7, "zorder": 3}
    panel.plot([last], [held_out.soft], marker="o", color=_SOFT,
               label=f"soft, held out: {held_out.soft:.2f} %", **style)  # fmt: skip
    panel.plot([last], [held_out.hard], marker="D", color=_HARD, markerfacecolor="none",
               label=f"hard, held out: {held_out.hard:.2f} %", **style)  # fmt: skip
    shown = [value for value in (*soft, *hard) if value >= _FLOOR]
    least = min((*shown, held_out.soft, held_out.hard))
    panel.set_ylim(least - _MARGIN, 100.3)
    panel.set_xlabel("epoch")
    panel.set_ylabel("accuracy in %")
