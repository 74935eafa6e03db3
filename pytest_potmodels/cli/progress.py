"""How far a download is: bars on a terminal, a line now and then elsewhere, nothing when quiet."""

import sys
import time
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Protocol

from pytest_potmodels.cli.console import is_terminal, say
from pytest_potmodels.transfer.disk import in_units

if TYPE_CHECKING:
    from pytest_potmodels.transfer.progress import Progress

#: Between two lines about one file in a log.
_EVERY = 10.0


class Watcher(Protocol):
    """Told of the bytes of one model after the other, or of several at once."""

    def watching(self, title: str) -> AbstractContextManager[None]:
        """Watch until the block ends, however it does; the title is of all that moves in it."""

    def __call__(self, event: "Progress") -> None:
        """Take an event; called from other threads, one call at a time."""


def watcher(*, quiet: bool) -> Watcher:
    """The watcher that suits stderr."""
    if quiet:
        return Silence()
    if is_terminal(sys.stderr):
        from pytest_potmodels.cli.bars import Bars  # noqa: PLC0415 - brings rich

        return Bars()
    return Lines()


class Silence:
    """Says nothing."""

    def watching(self, title: str) -> AbstractContextManager[None]:  # noqa: ARG002
        """Say nothing."""
        return nullcontext()

    def __call__(self, event: "Progress") -> None:
        """Say nothing."""


class Lines:
    """Plain lines for logs: each file's end, and every ten seconds how far it is."""

    def __init__(self) -> None:
        self._title = ""
        self._said: dict[tuple[str, str], float] = {}

    def watching(self, title: str) -> AbstractContextManager[None]:
        """Name what moves in each line, where an event names no model."""
        self._title = title
        self._said.clear()
        return nullcontext()

    def __call__(self, event: "Progress") -> None:
        """Say a line where the event is worth one."""
        now = time.monotonic()
        file = (event.model, event.path)
        if event.phase == "moving" and now - self._said.setdefault(file, now) < _EVERY:
            return
        if event.phase == "started" and not event.done:
            return
        self._said[file] = now
        say(f"{event.model or self._title}: {event.path} {_how_far(event)}")


def _how_far(event: "Progress") -> str:
    here = in_units(event.done)
    match event.phase:
        case "done":
            return f"complete, {here}"
        case "started":
            return f"resumed at {here}"
        case "retrying":
            return f"interrupted at {here}, trying again"
    return f"{here} of {in_units(event.total)}" if event.total is not None else here
