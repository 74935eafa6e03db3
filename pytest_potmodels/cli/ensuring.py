"""`ensure` and `metadata`: files of models that are there, checked, before somebody needs them."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.cli.console import put, put_json
from pytest_potmodels.cli.exits import CHECK_FAILED, Batch, failure_of
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.cli.verification_options import (
    described,
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
from pytest_potmodels.transfer.disk import in_units
from pytest_potmodels.verification import ModelFileVerifier, ModelMetadata, Verification, Wanted
from pytest_potmodels.verification.lists import read_batch
from pytest_potmodels.verification.outcome import error_of, failed
from pytest_potmodels.verification.wanted import DEFAULT_FILE, checked


@dataclass(frozen=True)
class Ask:
    """What a call of `ensure` is to do, and how to tell of it."""

    wanted: tuple[Wanted, ...]
    is_batch: bool = False
    output: Path | None = None
    scheduler: str | None = None
    as_json: bool = False


@click.command(epilog="Example: potmodels ensure bert-base-uncased --file-path model.onnx")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@model_option
@file_path_option
@model_type_option
@click.option("--check-exists", is_flag=True, help="Only say whether the file exists.")
@click.option("--get-metadata", is_flag=True, help="Only show what is known of the model.")
@click.option("--batch", is_flag=True, help="The models of --batch-file, in parallel.")
@file_option("--batch-file", help="JSON: a list of objects with model_id, file_path, model_type.")
@output_option
@scheduler_option
@token_option
@json_option
@common_options
def ensure(  # noqa: PLR0913 - as click hands them over
    invocation: Invocation, names: tuple[str, ...], *, model: str | None, file_path: str,
    model_type: str | None, check_exists: bool, get_metadata: bool, batch: bool,
    batch_file: Path | None, output: Path | None, scheduler: str | None, token: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Have models' ONNX files, from the hub or converted.

    The hub's own file is taken where there is one, and else the PyTorch model is converted. A file
    that is converted is compared with its model first, and made once per machine. Exit code 1: a
    file did not pass, or --check-exists says no; 3: one cannot be had; 4: wrong bytes.
    """
    if check_exists and get_metadata:
        raise UsageError("--check-exists and --get-metadata are two questions.", remedy="ask one")
    if scheduler and (check_exists or get_metadata):
        raise UsageError(
            "--scheduler is for work; a question is asked here.", remedy="leave it out"
        )
    named = tuple(dict.fromkeys((*expanded(names), *([model] if model is not None else ()))))
    if batch or batch_file:
        wanted = _of_file(named, batch_file)
        if model_type or file_path != DEFAULT_FILE:
            raise UsageError(
                "--file-path and --model-type are of one model, beside --batch-file.",
                remedy="write file_path and model_type into the file",
            )
    else:
        wanted = tuple(checked(Wanted(name, file_path, model_type)) for name in named)
    if not wanted:
        raise UsageError("No model is named.", remedy="potmodels ensure bert-base-uncased")
    ask = Ask(wanted, batch or len(wanted) > 1, output, scheduler, as_json)
    if check_exists:
        return _exist(verifier_of(invocation, token), ask, invocation)
    if get_metadata:
        return _show(verifier_of(invocation, token), ask, invocation)
    return _ensure(invocation, token, ask)


@click.command(epilog="Example: potmodels metadata bert-base-uncased")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@output_option
@token_option
@json_option
@common_options
def metadata(
    invocation: Invocation, names: tuple[str, ...], *, output: Path | None, token: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Show what a hub knows of models; fetch nothing.

    That is their type, files, licence and revision.
    """
    wanted = tuple(Wanted(name) for name in expanded(names))
    ask = Ask(wanted, output=output, as_json=as_json)
    return _show(verifier_of(invocation, token), ask, invocation)


def _of_file(named: Sequence[str], file: Path | None) -> tuple[Wanted, ...]:
    if file is None:
        raise UsageError(
            "--batch needs a list of models.", remedy="name it: --batch-file FILE.json"
        )
    if named:
        raise UsageError(
            f"{named[0]!r} is named beside --batch-file.", remedy="write it into the file, too"
        )
    return tuple(read_batch(file))


def _ensure(invocation: Invocation, token: str | None, ask: Ask) -> int:
    trouble = Batch(invocation.debug)
    found = _together(invocation, token, ask) if ask.is_batch or ask.scheduler else None
    found = found or [_alone(invocation, token, ask.wanted[0])]
    for each in found:
        if each.problem is not None:
            trouble.note(each.wanted.model_id, error_of(each.problem))
    results = [described(each) for each in found]
    write_output(ask.output, results)
    if ask.as_json:
        put_json(results)
    elif not invocation.quiet:
        columns = ("model", "status", "type", "opset", "size", "file")
        put_table(Table(columns, tuple(map(_row, found)), frozenset({"opset", "size"})))
    return trouble.code


def _together(invocation: Invocation, token: str | None, ask: Ask) -> list[Verification]:
    verifier = verifier_of(invocation, token)
    with executor_of(ask.scheduler) as executor:
        return verifier.batch_verify_models(ask.wanted, executor=executor)


def _alone(invocation: Invocation, token: str | None, wanted: Wanted) -> Verification:
    watch = watcher(quiet=invocation.quiet)
    verifier = verifier_of(invocation, token, on_progress=watch)
    try:
        with watch.watching(wanted.model_id):
            return verifier.verify(wanted)
    except PotModelsError as error:
        return failed(wanted, error)


def _exist(verifier: ModelFileVerifier, ask: Ask, invocation: Invocation) -> int:
    trouble = Batch(invocation.debug)
    answers = [_answer(verifier, each, trouble) for each in ask.wanted]
    write_output(ask.output, answers)
    if ask.as_json:
        put_json(answers)
    elif not invocation.quiet:
        for answer in answers:
            put(f"{answer['model_id']} {_WORDS[answer['exists']]} {answer['file_path']}")
    missing = CHECK_FAILED if any(answer["exists"] is False for answer in answers) else 0
    return max(trouble.code, missing)


def _answer(verifier: ModelFileVerifier, each: Wanted, trouble: Batch) -> dict[str, Any]:
    look = partial(verifier.verify_model_exists, each.model_id, each.file_path)
    known = trouble.attempt(each.model_id, look)
    names = {"name": each.model_id, "model_id": each.model_id}
    return {**names, "file_path": each.file_path, "exists": known}


_WORDS = {True: "has", False: "has no", None: "cannot be asked for"}


def _show(verifier: ModelFileVerifier, ask: Ask, invocation: Invocation) -> int:
    trouble = Batch(invocation.debug)
    asked = dict.fromkeys(each.model_id for each in ask.wanted)
    known = [trouble.attempt(name, partial(verifier.get_model_metadata, name)) for name in asked]
    found = [each for each in known if each is not None]
    write_output(ask.output, [each.as_json() for each in found])
    if ask.as_json:
        put_json([each.as_json() for each in found])
    elif not invocation.quiet:
        put("\n".join(line for each in found for line in _facts(each)))
    return trouble.code


def _facts(known: ModelMetadata) -> list[str]:
    facts = {
        "name": f"{known.source}:{known.name}",
        "revision": known.revision or "-",
        "type": f"{known.model_type or 'unknown'} (told by: {known.detected_by})",
        "architectures": ", ".join(known.architectures),
        "library": known.library,
        "task": known.task,
        "licence": known.license + (", gated" if known.gated else ""),
        "onnx": ", ".join(known.onnx_files) or "none; it would be converted",
        "cached": known.cached or "no",
        "told by": known.told_by,
    }
    lines = [f"  {name:<14}{value}" for name, value in facts.items() if value]
    files = [f"  {path:<40}{_size(size)}" for path, size in known.files.items()]
    return [known.model_id, *lines, *files]


def _size(size: int | None) -> str:
    return "?" if size is None else in_units(size)


def _row(found: Verification) -> tuple[str, ...]:
    name = found.wanted.model_id
    if found.problem is not None:
        reason = failure_of(error_of(found.problem)).reason
        return (name, f"failed: {reason}", "-", "-", "-", "-")
    kind = found.model_type or "?"
    return (name, found.source or "", kind, str(found.opset), in_units(found.size), str(found.path))
