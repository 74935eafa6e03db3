"""`benchmark`: verify, measure with PyTorch and ONNX Runtime, keep the rows."""

import importlib.util
from functools import partial
from pathlib import Path

import click

from pytest_potmodels.cli.benchmark_results import load, report
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.exits import Batch, failure_of
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.cli.verification_options import (
    executor_of,
    file_option,
    file_path_option,
    model_option,
    model_type_option,
    output_option,
    scheduler_option,
    token_option,
    verifier_of,
    write_output,
)
from pytest_potmodels.errors import PotModelsError, UsageError
from pytest_potmodels.verification import Wanted
from pytest_potmodels.verification.benchmark import database as databases
from pytest_potmodels.verification.benchmark import rows_file
from pytest_potmodels.verification.benchmark.how import BACKENDS, How
from pytest_potmodels.verification.benchmark.row import Row
from pytest_potmodels.verification.benchmark.running import benchmarked
from pytest_potmodels.verification.lists import read_names
from pytest_potmodels.verification.outcome import Problem, error_of
from pytest_potmodels.verification.processes import usable_cores
from pytest_potmodels.verification.wanted import checked

_positive = partial(click.IntRange, 1)


class _Group(click.Group):
    """`benchmark NAME` is `benchmark run NAME`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `run` in front where no command is named."""
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args.insert(0, "run")
        return super().parse_args(ctx, args)


@click.group(
    cls=_Group, invoke_without_command=True, epilog="Example: potmodels benchmark bert-base-uncased"
)
@click.pass_context
def benchmark(context: click.Context) -> None:
    """Time models with PyTorch and with ONNX Runtime.

    `potmodels benchmark NAME...` is the same as `potmodels benchmark run NAME...`; each command has
    its own help: potmodels benchmark run --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@benchmark.command(epilog="Example: potmodels benchmark run bert-base-uncased t5-small --runs 100")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@model_option
@click.option("--models", is_flag=True, help="The names that follow are models, as all names are.")
@file_option("--model-file", help="Models, one name a line.")
@file_path_option
@model_type_option
@click.option("--backend", "backends", multiple=True, type=click.Choice(BACKENDS),
              help="Measure only this framework; repeatable.")  # fmt: skip
@click.option("--runs", type=_positive(), default=How.runs, show_default=True, metavar="N",
              help="Calls that are measured.")  # fmt: skip
@click.option("--warmup", type=click.IntRange(0), default=How.warmup, show_default=True,
              metavar="N", help="Calls before them, which are not.")  # fmt: skip
@click.option("--threads", type=_positive(), metavar="N", help="Cores to use (default: all).")
@click.option("--batch-size", type=_positive(), default=How.batch, show_default=True, metavar="N",
              help="Examples in one call.")  # fmt: skip
@file_option("--rows", default=rows_file.DEFAULT, show_default=True,
             help="Lines of JSON that the results are appended to.")  # fmt: skip
@file_option("--database", help="DuckDB database of the rows (default: beside them).")
@output_option
@scheduler_option
@token_option
@json_option
@common_options
def run(  # noqa: PLR0913 - as click hands them over
    invocation: Invocation, names: tuple[str, ...], *, model: str | None, models: bool,  # noqa: ARG001
    model_file: Path | None, file_path: str, model_type: str | None, backends: tuple[str, ...],
    runs: int, warmup: int, threads: int | None, batch_size: int, rows: Path,
    database: Path | None, output: Path | None, scheduler: str | None, token: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Have each model's ONNX file, then time acquire, load and infer in processes of their own.

    Each model and framework is a row, appended to --rows; the database is made from all of them.
    """
    listed = read_names(model_file) if model_file else []
    named = dict.fromkeys((*expanded(names), *([model] if model else ()), *listed))
    wanted = [checked(Wanted(name, file_path, model_type)) for name in named]
    if not wanted:
        raise UsageError("No model is named.", remedy="potmodels benchmark bert-base-uncased")
    how = How(runs, warmup, _cores(threads, scheduler), batch_size)
    rows_file.check(rows)
    databases.check(database or rows.with_suffix(".duckdb"), rows)
    verifier = verifier_of(invocation, token)
    found, trouble = [], Batch(invocation.debug)
    with executor_of(scheduler) as executor:
        for row in benchmarked(
            verifier, wanted, how, backends=tuple(dict.fromkeys(backends)) or BACKENDS,
            executor=executor,
            on_line=None if invocation.quiet else say,
        ):  # fmt: skip
            rows_file.append(rows, [row])
            found.append(row)
            _note(trouble, row)
    write_output(output, [row.as_json() for row in found])
    _into_database(rows, database)
    _put(found, as_json=as_json, quiet=invocation.quiet)
    return trouble.code


benchmark.add_command(report)
benchmark.add_command(load)


def _cores(asked: int | None, scheduler: str | None) -> int:
    """What was asked for; more threads than cores measure how they wait for each other."""
    here = usable_cores()
    if asked and asked > here and scheduler is None:
        raise UsageError(f"--threads {asked}: there are {here} cores.", remedy="ask for fewer")
    return asked or How.threads


def _note(trouble: Batch, row: Row) -> None:
    if row.status != "ok":
        what = f"{row.model_id} ({row.backend})" if row.backend else row.model_id
        trouble.note(what, _error(row))


def _error(row: Row) -> PotModelsError:
    return error_of(Problem(row.kind, row.error, row.remedy, row.reason))


def _into_database(rows: Path, asked: Path | None) -> None:
    """All rows, not only the new ones: others append to the same file."""
    if asked is None and importlib.util.find_spec("duckdb") is None:
        say("no database, duckdb is not installed: pip install 'pytest-potmodels[benchmark]'")
        return
    for damaged in databases.rebuild(asked or rows.with_suffix(".duckdb"), rows).damaged:
        say(damaged, label="warning")


def _put(found: list[Row], *, as_json: bool, quiet: bool) -> None:
    if as_json:
        put_json([row.as_json() for row in found])
    elif not quiet:
        columns = (
            "model",
            "backend",
            "status",
            "file",
            "load s",
            "p50 ms",
            "p90 ms",
            "p99 ms",
            "MB",
        )
        put_table(Table(columns, tuple(map(_cells, found)), frozenset(columns[4:])))


def _cells(row: Row) -> tuple[str, ...]:
    if row.status != "ok":
        reason = failure_of(_error(row)).reason
        return (row.model_id, row.backend or "-", f"failed: {reason}", *(["-"] * 6))
    times = (f"{value:.2f}" for value in (row.p50_ms, row.p90_ms, row.p99_ms))
    where = (row.model_id, row.backend, row.status, row.source)
    return (*where, f"{row.load_s:.3f}", *times, f"{row.memory_mb:.0f}")
