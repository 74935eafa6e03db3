"""`experiment run`, `compare` and `list`: a function under a plan, and what came of it."""

import contextlib
import sys
import traceback
from functools import partial
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.cli.console import put, put_json, say
from pytest_potmodels.cli.exits import CHECK_FAILED, INTERRUPTED
from pytest_potmodels.cli.experimenting import records
from pytest_potmodels.cli.experimenting.plan import plan_of
from pytest_potmodels.cli.groups import Group
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.records import counted
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.experiments.comparison import COLUMNS, compare
from pytest_potmodels.experiments.result_files import list_results
from pytest_potmodels.experiments.results import ExperimentResult
from pytest_potmodels.experiments.runner import ReproducibleExperimentRunner
from pytest_potmodels.experiments.user_file import FileExperiment, split_target


@click.group(
    cls=Group,
    invoke_without_command=True,
    epilog="Example: potmodels experiment run train.py",
)
@click.pass_context
def experiment(context: click.Context) -> None:
    """Run, compare and list experiments.

    Each has its own help: potmodels experiment run --help
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@experiment.command(epilog="Example: potmodels experiment run train.py:fit --set parameters.lr=0.1")
@click.argument("target", metavar="FILE.py[:FUNCTION]")
@click.option("--config", "plan_file", metavar="FILE", help="The plan: TOML, YAML or JSON.")
@click.option("--name", help="Name of the experiment (default: that of FILE.py).")
@click.option("--seed", type=int, metavar="N", help="Seed of all generators.")
@click.option("--repeats", type=int, metavar="N", help="How often to run, each with its own seed.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE",
              help="Change a key of the plan, or parameters.NAME; repeatable.")  # fmt: skip
@json_option
@partial(common_options, without=("config",))
def run(
    invocation: Invocation,
    target: str,
    plan_file: str | None,
    changes: tuple[str, ...],
    *,
    as_json: bool,
    **given: Any,
) -> int:
    """Run a function of a Python file under a plan, and write down what came of it.

    The function (default: run) gets a context and returns a dict of metrics. Exit code 1 if it
    raises; the result says where.
    """
    file, function = split_target(target)
    ours = FileExperiment(file, function)  # Before a model is fetched for nothing.
    config = plan_of(plan_file, changes, given, default_name=file.stem)
    runner = ReproducibleExperimentRunner(config, invocation.settings)
    # With --json stdout is one document, whatever the function prints.
    aside = contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext()
    try:
        with aside:
            result = runner.run(ours)
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        failed = runner.result
        if failed is None or failed.failure is None or failed.failure.during != "function":
            raise  # Not the function's doing: it leaves as everywhere.
        if invocation.debug:
            traceback.print_exception(error, file=sys.stderr)
        return _show_failed(failed, invocation, as_json=as_json)
    _show(result, invocation, as_json=as_json)
    return 0


@experiment.command("compare", epilog="Example: potmodels experiment compare A.json B.json")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--tolerance", type=float, default=0.0, metavar="X",
              help="Absolute or relative difference of figures that counts as none.")  # fmt: skip
@json_option
@common_options
def compare_results(
    invocation: Invocation, a: str, b: str, *, tolerance: float, as_json: bool
) -> int:
    """Name what differs between two results: model, seed, version, configuration, metrics.

    Exit code 1 if metrics differ, or if one of the two has not finished.
    """
    found = compare(Path(a), Path(b), tolerance=tolerance)
    if as_json:
        put_json(found.as_json())
    elif not invocation.quiet:
        put_table(Table(COLUMNS, found.table, frozenset({"absolute", "relative"})))
        put(found.verdict)
    return 0 if found.metrics_equal else CHECK_FAILED


@experiment.command("list", epilog="Example: potmodels experiment list experiments")
@click.argument("folder", default="experiments", metavar="[DIR]")
@json_option
@common_options
def list_experiments(invocation: Invocation, folder: str, *, as_json: bool) -> None:  # noqa: ARG001
    """List the results in a folder (default: experiments), the oldest first.

    "started" is a run that goes on, or was killed. Damaged files are listed, too.
    """
    listed = list_results(folder)
    if as_json:
        put_json([records.listed_as_json(each) for each in listed])
        return
    put_table(records.listing(listed))
    damaged = [each for each in listed if each.result is None]
    for each in damaged:
        say(each.damage, label="warning")
    put(f"{counted(len(listed), 'result')} in {folder}")


def _show(result: ExperimentResult, invocation: Invocation, *, as_json: bool) -> None:
    if as_json:
        put_json(records.as_json(result))
    elif not invocation.quiet:
        put("\n".join(records.facts(result)))
        put_table(records.metrics(result))
        put(f"result: {result.path}")


def _show_failed(result: ExperimentResult, invocation: Invocation, *, as_json: bool) -> int:
    failure = result.failure
    if as_json:
        put_json(records.as_json(result))
    if failure is not None:
        if failure.traceback:
            say(failure.traceback.rstrip())
        say(f"{result.code.function} of {result.code.file}: {failure.type}: {failure.message}",
            label="error")  # fmt: skip
    if not invocation.quiet:
        say(f"  recorded as {result.status} in {result.path}")
    return INTERRUPTED if result.status == "interrupted" else CHECK_FAILED
