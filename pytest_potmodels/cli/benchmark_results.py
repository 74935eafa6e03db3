"""`benchmark report` and `benchmark load`: what was measured side by side, and as a database."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.cli.console import put, put_json, say
from pytest_potmodels.cli.exits import CHECK_FAILED
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.records import counted
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.errors import MissingPackageError, UsageError
from pytest_potmodels.verification.benchmark import comparison, database, plot, rows_file
from pytest_potmodels.verification.benchmark.comparison import Compared
from pytest_potmodels.verification.benchmark.row import Row
from pytest_potmodels.verification.benchmark.rows_file import Read

_FILE = click.Path(dir_okay=False, path_type=Path)
_COLUMNS = (
    "model", "file", "inputs", "cores", "torch p50", "p90", "p99", "onnx p50", "p90", "p99",
    "faster", "torch MB", "onnx MB",
)  # fmt: skip


@click.command(epilog="Example: potmodels benchmark report --plot comparison.png")
@click.argument("file", type=_FILE, default=rows_file.DEFAULT, metavar="[FILE]")
@click.option("--plot", "picture", type=_FILE, metavar="FILE.png", help="Where to draw the plot.")
@click.option("--no-plot", is_flag=True, help="Draw none.")
@json_option
@common_options
def report(
    invocation: Invocation, *, file: Path, picture: Path | None, no_plot: bool, as_json: bool
) -> int:
    """Compare PyTorch with ONNX Runtime: a table, and a plot beside FILE.

    FILE holds rows (.jsonl) or is a database (.duckdb). Of each model the latest rows count, and
    only rows of one machine are compared. Times are in milliseconds for one call.
    """
    if picture and no_plot:
        raise UsageError("--plot and --no-plot contradict each other.", remedy="leave one out")
    rows, damaged = _read(file)
    found = comparison.compared(rows)
    machines = comparison.machines(rows)
    if as_json:
        put_json([_as_json(each, machines) for each in found])
    elif not invocation.quiet:
        _put(found, machines)
    if found and not no_plot:
        _draw(picture or file.with_suffix(".png"), found, machines)
    return CHECK_FAILED if damaged else 0


@click.command(epilog="Example: potmodels benchmark load benchmark_rows.jsonl")
@click.argument("rows", type=_FILE, default=rows_file.DEFAULT, metavar="[ROWS]")
@click.option("--database", "target", type=_FILE, metavar="FILE",
              help="The DuckDB database (default: beside the rows).")  # fmt: skip
@common_options
def load(invocation: Invocation, *, rows: Path, target: Path | None) -> int:
    """Make the database anew from all rows; one that is there is replaced."""
    target = target or rows.with_suffix(".duckdb")
    found = database.rebuild(target, rows)
    _tell_damaged(found)
    if not invocation.quiet:
        say(f"{counted(len(found.rows), 'row')} in {target}")
    return CHECK_FAILED if found.damaged else 0


def _read(file: Path) -> tuple[tuple[Row, ...], bool]:
    """The rows, and whether lines were damaged; each of these is told."""
    if file.suffix in database.SUFFIXES:
        return database.read(file), False
    read = rows_file.read(file)
    _tell_damaged(read)
    return read.rows, bool(read.damaged)


def _tell_damaged(read: Read) -> None:
    for damaged in read.damaged:
        say(damaged, label="error")


def _put(found: list[Compared], machines: dict[str, str]) -> None:
    if not found:
        say("no row that went well")
    for key in dict.fromkeys(each.machine_key for each in found):
        put(f"{machines[key]} ({key})")
        rows = tuple(_cells(each) for each in found if each.machine_key == key)
        put_table(Table(_COLUMNS, rows, frozenset(_COLUMNS[3:])))


def _cells(each: Compared) -> tuple[str, ...]:
    faster = f"{each.speedup:.2f}x" if each.speedup else "-"
    source = each.onnxruntime.source if each.onnxruntime else "-"
    head = (each.model_id, source, each.inputs, str(each.threads))
    sizes = (f"{row.memory_mb:.0f}" if row else "-" for row in (each.torch, each.onnxruntime))
    return (*head, *_times(each.torch), *_times(each.onnxruntime), faster, *sizes)


def _times(row: Row | None) -> tuple[str, ...]:
    if row is None:
        return ("-", "-", "-")
    return tuple(f"{value:.2f}" for value in (row.p50_ms, row.p90_ms, row.p99_ms))


def _as_json(each: Compared, machines: dict[str, str]) -> dict[str, Any]:
    said = asdict(each)
    return {**said, "machine": machines[each.machine_key], "speedup": each.speedup}


def _draw(picture: Path, found: list[Compared], machines: dict[str, str]) -> None:
    """Without matplotlib the table must do: a message, and no failure."""
    try:
        plot.draw(picture, found, machines)
    except MissingPackageError as error:
        say(f"no plot, {error.message}: {error.remedy}")
    else:
        say(f"plot: {picture}")
