"""A table as a value; folded to the width of a terminal, whole lines everywhere else."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_potmodels.cli.console import is_terminal, printable, put


@dataclass(frozen=True)
class Table:
    """Rows of cells under column names; columns in `figures` are aligned to the right."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    figures: frozenset[str] = frozenset()


def put_table(table: Table) -> None:
    """Write a table to stdout; an empty one is nothing."""
    if not table.rows:
        return
    if is_terminal(sys.stdout):
        _put_folded(table)
    else:
        put("\n".join(_lines(table)))


def _lines(table: Table) -> list[str]:
    """Nothing is cut and nothing wrapped: other programs read this."""
    head = tuple(column.upper() for column in table.columns)
    grid = [head, *([" ".join(printable(cell).split("\n")) for cell in row] for row in table.rows)]
    widths = [max(len(row[i]) for row in grid) for i in range(len(head))]
    return ["  ".join(_aligned(table, row, widths)).rstrip() for row in grid]


def _aligned(table: Table, row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [
        cell.rjust(width) if column in table.figures else cell.ljust(width)
        for column, cell, width in zip(table.columns, row, widths, strict=True)
    ]


def _put_folded(table: Table) -> None:
    from rich import box  # noqa: PLC0415 - pipes and CI never need it
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table as RichTable  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    drawn = RichTable(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in table.columns:
        justify = "right" if column in table.figures else "left"
        drawn.add_column(column, justify=justify, overflow="fold")  # type: ignore[arg-type]
    for row in table.rows:
        drawn.add_row(*(Text(printable(_shortened(cell))) for cell in row))
    Console(highlight=False).print(drawn)


def _shortened(cell: str) -> str:
    """A commit by its first eight digits, as the store names folders; other cells as they are."""
    return cell[:8] if re.fullmatch(r"[0-9a-f]{40}", cell) else cell
