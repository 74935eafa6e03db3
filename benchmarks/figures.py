"""A measured figure, and a table of them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """Our way beside the stock way, measured in one run; the ratio is what is aimed at."""

    name: str
    stock: float
    ours: float
    unit: str
    #: None for a part of another figure.
    goal: float | None
    stretch: float | None = None
    #: What the stock way is.
    beside: str = ""
    #: The median of the pairs' ratios, where there are pairs.
    paired: float | None = None

    @property
    def ratio(self) -> float:
        """Ours in units of stock."""
        return self.ours / self.stock if self.paired is None else self.paired

    @property
    def verdict(self) -> str:
        """Whether the goal is met; "" where there is none."""
        if self.goal is None:
            return ""
        if self.stretch is not None and self.ratio <= self.stretch:
            return "stretch met"
        return "met" if self.ratio <= self.goal else "MISSED"


def of_pairs(
    name: str, pairs: Sequence[Sequence[float]], unit: str, goal: float | None, **more: object
) -> Figure:
    """The figure of (stock, ours) pairs: medians, and the median of the ratios."""
    stock, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(mine / theirs for theirs, mine in pairs)
    return Figure(name, stock, ours, unit, goal, paired=ratio, **more)  # type: ignore[arg-type]


def table(figures: Sequence[Figure]) -> str:
    """Aligned columns for people; parts come after the figures that have a goal."""
    head = ("figure", "stock", "ours", "ratio", "goal", "stretch", "")
    whole = [_row(figure) for figure in figures if figure.goal is not None]
    parts = [_row(figure) for figure in figures if figure.goal is None]
    gap = [("",) * len(head)] if whole and parts else []
    rows = [head, *whole, *gap, *parts]
    widths = [max(len(row[at]) for row in rows) for at in range(len(head))]
    return "\n".join(_line(row, widths) for row in rows)


def _row(figure: Figure) -> tuple[str, ...]:
    name = f"{figure.name} (beside {figure.beside})" if figure.beside else figure.name
    amounts = (f"{amount:.4g} {figure.unit}" for amount in (figure.stock, figure.ours))
    ratios = (_short(ratio) for ratio in (figure.ratio, figure.goal, figure.stretch))
    return (name, *amounts, *ratios, figure.verdict)


def _short(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3g}"


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *rest = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
    return "  ".join([first, *(cell.strip().rjust(len(cell)) for cell in rest)]).rstrip()
