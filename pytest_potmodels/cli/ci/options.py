"""The options of `potmodels ci`: the Action's inputs, in the job's own folder."""

import contextlib
import os
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.ci import inputs as reading
from pytest_potmodels.ci.event import runner
from pytest_potmodels.ci.folder import place
from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.cli.ci.streams import annotate, mask, read_by_a_runner
from pytest_potmodels.cli.exits import tell
from pytest_potmodels.cli.options import Callback, Decorator, common_options
from pytest_potmodels.errors import UsageError

#: Inputs whose options every command has; what they say goes on to the settings.
_SHARED = ("cache-dir", "retries", "timeout")
_HELP = {
    "lockfile": ("FILE", "The lock file; default: the one in force."),
    "working-directory": ("DIR", "Where the project is; default: here."),
    "cache": ("WORD", "auto (by the event), read, write or false."),
    "cache-suffix": ("TEXT", "Stands in the key, to tell caches of one repository apart."),
    "max-size": ("SIZE", "Save no entry with more than this; default 8GB."),
    "select": ("NAMES", "Names and globs of what is wanted, or `plan`: what the tests need."),
    "models": ("NAMES", "The models, where there is no lock file."),
    "preset": ("NAMES", "The models of presets or collections, where there is no lock file."),
    "allow-gated": ("WORD", "true: gated models may be in the cache. Default false."),
    "offline-phase": ("WORD", "false: the network stays open for later steps. Default true."),
    "summary": ("WORD", "When to write the job's summary: on-change, true or false."),
    "python": ("FILE", "The interpreter that collects the tests for --select plan."),
}
#: Where the name of the input means something else on the command line.
_INPUT_OF = {"offline-phase": "offline"}


def ci_command(function: Callback) -> Callback:
    """Add the inputs and the common options; the function gets an Invocation and Inputs.

    It runs in the working directory of the job, and nothing that it prints is a command to the
    runner but annotations.
    """
    common = common_options(function, without=("lock", "locked"))

    @wraps(common)
    def run(**options: Any) -> int | None:
        with read_by_a_runner():
            try:
                return _in_its_folder(common, options)
            except Exception as error:  # noqa: BLE001 - also what nobody foresaw is told safely
                failure = tell(error, debug=options["debug"])
                annotate_failure(failure.message, failure.remedy)
                return failure.code

    decorated: Callback = run
    for name, (metavar, text) in reversed(_HELP.items()):
        decorated = _option(name, metavar, text)(decorated)
    return decorated


def annotate_failure(message: str, remedy: str = "", *, file: str = "", line: int = 0) -> None:
    """Show an error that was told already beside the file that it is about, where GitHub does."""
    if runner(os.environ):
        mending = f" To mend it: {remedy}" if remedy else ""
        annotate("error", message + mending, file=file, line=line)


def _in_its_folder(common: Callback, options: dict[str, Any]) -> int | None:
    given = {_INPUT_OF.get(name, name): options.pop(name.replace("-", "_")) for name in _HELP}
    given |= {name: options[name.replace("-", "_")] for name in _SHARED}
    found = reading.read(given, os.environ)
    mask(found.token)
    folder = place(found.cache_dir, os.environ)
    shared = {"cache_dir": str(folder), "retries": found.retries, "timeout": found.timeout}
    with _inside(found):
        return common(**{**options, **shared}, inputs=found)


@contextlib.contextmanager
def _inside(inputs: Inputs) -> Iterator[None]:
    folder = Path(inputs.working_directory or ".")
    if not folder.is_dir():
        raise UsageError(f"working-directory: there is no folder {str(folder)!r}.")
    with contextlib.chdir(folder):
        yield


def _option(name: str, metavar: str, text: str) -> Decorator:
    return click.option(f"--{name}", metavar=metavar, help=text)
