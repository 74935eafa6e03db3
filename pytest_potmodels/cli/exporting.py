"""`export`: models as ONNX files, verified against the model that they are of."""

import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import click

from pytest_potmodels import onnx_export
from pytest_potmodels.addresses import displayed
from pytest_potmodels.artifacts import LoadOptions, ModelRequest
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.exits import Batch, Failure
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.cli.verification_options import model_type_option
from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.loading import options as load_options
from pytest_potmodels.onnx_export import OnnxModel, family_names
from pytest_potmodels.store.layout import entry_name
from pytest_potmodels.transfer.disk import in_units


@dataclass(frozen=True)
class How:
    """What of each model is exported, and where to."""

    out: Path | None
    opset: int | None
    part: str
    family: str
    force: bool
    options: LoadOptions


@dataclass(frozen=True)
class Outcome:
    """How it went with one name."""

    asked: str
    file: Path | None = None
    model: OnnxModel | None = None
    failure: Failure | None = None


@click.command(epilog="Example: potmodels export resnet18 bert --out onnx")
@click.argument("names", nargs=-1, metavar="NAME...")
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
    help="Also copy each file, with its weights, to DIR/NAME.",
)  # fmt: skip
@click.option("--opset", type=click.IntRange(min=7), metavar="N", help="The opset of the files.")
@click.option("--part", default="", metavar="NAME", help="Only a submodule, such as encoder.")
@model_type_option
@click.option("--task", metavar="TASK", help="The head, as the hub names it: fill-mask, ...")
@click.option("--auto-class", metavar="CLASS", help="The head, by the class of transformers.")
@click.option("--force", is_flag=True, help="Try again what could not be exported lately.")
@json_option
@common_options
def export(  # noqa: PLR0913 - as click hands them over
    invocation: Invocation, names: tuple[str, ...], *, out: Path | None, opset: int | None,
    part: str, model_type: str | None, task: str | None, auto_class: str | None, force: bool,
    as_json: bool,
) -> int:  # fmt: skip
    """Export models to ONNX, each compared with its model.

    The files are made once and kept beside the models in the cache. What does not agree with the
    model at every shape is not given. --timeout bounds each model's download, and its export.
    """
    if not names:
        raise UsageError("No model is named.", remedy="potmodels export resnet18")
    options = LoadOptions(task=task, auto_class=auto_class)
    load_options.check(options)
    if model_type:
        family_names.check(model_type)
    exporting = _Exporting(invocation, How(out, opset, part, model_type or "", force, options))
    outcomes = [exporting.one(name) for name in dict.fromkeys(expanded(names))]
    if as_json:
        put_json([_as_json(each) for each in outcomes])
    elif not invocation.quiet:
        columns = ("model", "status", "rung", "opset", "size", "max rel error", "file")
        figures = frozenset({"opset", "size", "max rel error"})
        put_table(Table(columns, tuple(map(_row, outcomes)), figures))
    return exporting.batch.code


class _Exporting:
    """One model after the other: each export may take gigabytes of memory."""

    def __init__(self, invocation: Invocation, how: How) -> None:
        self._watch = watcher(quiet=invocation.quiet)
        self._pipeline = invocation.pipeline(self._watch)
        self._how = how
        self._say = _ignored if invocation.quiet else say
        self.batch = Batch(invocation.debug)

    def one(self, name: str) -> Outcome:
        outcome = self.batch.attempt(name, lambda: self._exported(name))
        return outcome or Outcome(displayed(name), failure=self.batch.failures[name])

    def _exported(self, name: str) -> Outcome:
        how, pipeline = self._how, self._pipeline
        request = pipeline.catalog.request(name)
        request = replace(request, options=_merged(request.options, how.options))
        what: Any = {"opset": how.opset, "part": how.part, "family": how.family}
        onnx_export.require(pipeline, request, **what)
        with self._watch.watching(name):
            pipeline.acquire(request)
        model = onnx_export.exported(
            pipeline, request, **what, force=how.force, timeout=pipeline.settings.timeout,
            on_line=_timed(name, self._say),
        )  # fmt: skip
        file = _copied(model, request, how.out) if how.out else model.file
        return Outcome(displayed(name), file, model)


def _merged(known: LoadOptions, asked: LoadOptions) -> LoadOptions:
    """A head on the command line takes the place of the catalog's."""
    if asked.task or asked.auto_class:
        return replace(known, task=asked.task, auto_class=asked.auto_class)
    return known


def _timed(name: str, tell: Callable[[str], None]) -> Callable[[str], None]:
    began = time.monotonic()
    return lambda line: tell(f"{name}: {line} ({time.monotonic() - began:.0f} s)")


def _ignored(_line: str) -> None:
    """Nothing."""


def _copied(model: OnnxModel, request: ModelRequest, out: Path) -> Path:
    """Copy a file with its weights; what is there of an earlier export is replaced."""
    folder = out / entry_name(request.id)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in _with_weights(folder / model.file.name):
            old.unlink()
        for path in _with_weights(model.file):
            shutil.copyfile(path, folder / path.name)
    except OSError as error:
        raise StoreError(
            f"{folder} does not take the file: {error.strerror or error}.",
            remedy="name another folder with --out",
        ) from error
    return folder / model.file.name


def _with_weights(file: Path) -> list[Path]:
    """A graph and what lies beside it under its name: `model.onnx.data`, `model.onnx_data`."""
    return sorted(path for path in file.parent.iterdir() if path.name.startswith(file.name))


def _row(outcome: Outcome) -> tuple[str, ...]:
    model = outcome.model
    if model is None:
        reason = outcome.failure.reason if outcome.failure else ""
        return (outcome.asked, f"failed: {reason}", "-", "-", "-", "-", "-")
    worst = f"{model.worst:.1e}" if model.errors else "-"
    return (
        str(model.derived_from), _status(model), model.rung, str(model.opset),
        in_units(model.size), worst, str(outcome.file),
    )  # fmt: skip


def _status(model: OnnxModel) -> str:
    if model.source == "original":
        return "original"
    return "exported" if model.fresh else "there"


def _as_json(outcome: Outcome) -> dict[str, Any]:
    model = outcome.model
    if model is None or outcome.failure is not None:
        assert outcome.failure is not None  # noqa: S101 - one of the two is there
        return records.failed(outcome.asked, outcome.failure)
    made_from = model.derived_from
    return {
        "name": made_from.name,
        "source": made_from.source,
        "revision": made_from.revision,
        "asked": outcome.asked,
        "status": _status(model),
        "file": str(outcome.file),
        "files": [path.name for path in _with_weights(model.file)],
        "key": model.key,
        "digest": model.digest,
        "size": model.size,
        "rung": model.rung,
        "recipe": model.recipe,
        "opset": model.opset,
        "inputs": [asdict(each) for each in model.inputs],
        "outputs": [asdict(each) for each in model.outputs],
        "errors": {name: asdict(each) for name, each in model.errors.items()},
        "tolerance": model.tolerance,
        "shapes": [dict(each) for each in model.shapes],
        "tried": [asdict(each) for each in model.tried],
        "versions": dict(model.versions),
    }
