"""How far a training is: a bar on a terminal, a line now and then elsewhere, nothing when quiet."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from pytest_potmodels.cli.console import is_terminal, printable, say

if TYPE_CHECKING:
    from pytest_potmodels.lut.training.loop import Epoch

#: Told of the number of a seed or fold, and of its epochs.
Watch = Callable[[int, "Epoch"], None]
#: Between two lines in a log.
_EVERY = 10.0


@contextlib.contextmanager
def watched(what: str, *, quiet: bool) -> Iterator[Watch]:
    """What suits stderr, until the block ends; `what` stands before each number."""
    if quiet:
        yield lambda _number, _epoch: None
    elif is_terminal(sys.stderr):
        with _bar(what) as watch:
            yield watch
    else:
        yield _lines(what)


def _lines(what: str) -> Watch:
    said = time.monotonic()

    def watch(number: int, epoch: "Epoch") -> None:
        nonlocal said
        now = time.monotonic()
        if epoch.number == epoch.of or now - said >= _EVERY:
            said = now
            say(f"{what} {number}: epoch {epoch.number} of {epoch.of}, {_figures(epoch)}")

    return watch


@contextlib.contextmanager
def _bar(what: str) -> Iterator[Watch]:
    from rich import progress  # noqa: PLC0415 - pipes and CI never need it
    from rich.console import Console  # noqa: PLC0415

    columns = (
        progress.TextColumn("{task.description}", markup=False),
        progress.BarColumn(bar_width=20),
        progress.TextColumn("{task.fields[figures]}", markup=False),
        progress.TimeRemainingColumn(compact=True),
    )
    with progress.Progress(*columns, console=Console(stderr=True), transient=True) as display:
        tasks: dict[int, progress.TaskID] = {}

        def watch(number: int, epoch: "Epoch") -> None:
            if number not in tasks:
                words = printable(f"{what} {number}")
                tasks[number] = display.add_task(words, total=epoch.of, figures="")
            display.update(tasks[number], completed=epoch.number, figures=_figures(epoch))

        yield watch


def _figures(epoch: "Epoch") -> str:
    seen = epoch.accuracy
    known = f", training images {seen.hard:.2f} % hard" if seen else ""
    return f"loss {epoch.loss:.3f}{known}"
