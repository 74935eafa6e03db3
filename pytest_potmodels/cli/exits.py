"""Errors as exit codes and as two lines on stderr: the one place that maps them.

0 done, 1 a check failed, 2 usage, 3 not available, 4 digest mismatch, 70 internal,
130 interrupted; a batch ends with its worst, which is the largest.
"""

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import click

from pytest_potmodels.addresses import displayed
from pytest_potmodels.cli.console import say
from pytest_potmodels.cli.wording import as_typed_here
from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelVerificationError,
    PotModelsError,
    StoreError,
    UnavailableError,
    UsageError,
)

T = TypeVar("T")

CHECK_FAILED = 1
INTERNAL = 70
INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """An error as the command line shows it; `reason` is one word for tables and JSON."""

    code: int
    reason: str
    message: str
    remedy: str = ""


def failure_of(error: BaseException) -> Failure:
    """The code and the words of an error."""
    match error:
        case PotModelsError():
            words = as_typed_here(error.message), as_typed_here(error.remedy)
            return Failure(error.exit_code, _reason(error), *words)
        case click.ClickException():
            return _of_click(error)
        case KeyboardInterrupt() | click.Abort():
            return Failure(INTERRUPTED, "interrupted", "interrupted")
        case OSError():
            # The machine's doing, met where no step expected it: a folder without permission.
            said = f"{type(error).__name__}: {error}"
            return Failure(StoreError.exit_code, "system", said, _SEE_MORE)
    return Failure(INTERNAL, "internal", f"internal: {type(error).__name__}: {error}", _REPORT)


def tell(error: BaseException, *, debug: bool, what: str = "") -> Failure:
    """Say on stderr what failed and what mends it; the traceback only with `--debug`.

    `what` is the piece of work that failed, for errors that do not name it themselves.
    """
    failure = failure_of(error)
    if failure.code == INTERRUPTED:
        say("interrupted; what came in part is kept, the next run resumes it")
        return failure
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    what = displayed(what)
    is_named = what.partition("#")[0] in failure.message  # Of a URL its promise may be left out.
    whose = "" if is_named else f"{what}: "
    say(whose + " ".join(failure.message.splitlines()), label="error")
    if failure.remedy:
        say(f"  To mend it: {failure.remedy}")
    return failure


def exit_code(run: Callable[[], object], *, debug: bool) -> int:
    """Run a command; what it returns is its code, an error has the code of its kind."""
    try:
        returned = run()
    except Exception as error:  # noqa: BLE001 - the outermost frame: nothing may leave as a traceback
        return tell(error, debug=debug).code
    except KeyboardInterrupt as interrupt:
        return tell(interrupt, debug=debug).code
    return returned if isinstance(returned, int) else 0


@dataclass
class Batch:
    """Several pieces of work: one that fails is told at once, and the others go on."""

    debug: bool = False
    failures: dict[str, Failure] = field(default_factory=dict)

    def attempt(self, what: str, work: Callable[[], T]) -> T | None:
        """Do a piece of work; None if it failed, and the failure is noted under `what`."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - also what nobody foresaw is only this one's
            self.note(what, error)
            return None

    def note(self, what: str, error: Exception) -> None:
        """Tell of an error, and count it."""
        failure = tell(error, debug=self.debug, what=what)
        known = self.failures.get(what)
        if known is None or failure.code > known.code:
            self.failures[what] = failure

    @property
    def code(self) -> int:
        """The worst code so far."""
        return max((failure.code for failure in self.failures.values()), default=0)


def _reason(error: PotModelsError) -> str:
    if isinstance(error, UnavailableError):
        return str(error.reason)
    words = {UsageError: "usage", DigestMismatchError: "digest-mismatch", StoreError: "store",
             ModelVerificationError: "not-verified"}  # fmt: skip
    return next((word for kind, word in words.items() if isinstance(error, kind)), "internal")


def _of_click(error: click.ClickException) -> Failure:
    context = error.ctx if isinstance(error, click.UsageError) else None
    command = context.command_path if context else "potmodels"
    remedy = f"{command} --help has an example"
    return Failure(UsageError.exit_code, "usage", error.format_message(), remedy)


_SEE_MORE = "check that path; --debug shows where it happened"
_REPORT = "this is a bug: run it again with --debug and report what it prints"
