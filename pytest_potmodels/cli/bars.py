"""Progress on a terminal: a bar for each file of a model and one for all, gone when it is here."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column

from pytest_potmodels.cli.console import printable

if TYPE_CHECKING:
    from pytest_potmodels.transfer import progress

#: Columns from which there is room for names, bars and figures.
_WIDE = 80


class Bars:
    """One live display per model; the first bar is the total of the files that have begun."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._display: Progress | None = None
        self._total = TaskID(0)
        self._files: dict[str, TaskID] = {}
        self._events: dict[str, progress.Progress] = {}

    @contextlib.contextmanager
    def watching(self, title: str) -> Iterator[None]:
        """Show the model while it is asked for; its files follow."""
        self._display = Progress(
            *_columns(self._console.width), console=self._console, transient=True, expand=True
        )
        self._files, self._events = {}, {}
        self._total = self._display.add_task(printable(title), total=None)
        with self._display:
            yield
        self._display = None

    def __call__(self, event: "progress.Progress") -> None:
        """Move the file's bar and the total."""
        if self._display is None:
            return
        if event.path not in self._files:
            # What a killed run left does not count as speed: a task's clock starts at it.
            self._files[event.path] = self._display.add_task(
                f"  {printable(event.path)}", total=event.total, completed=event.done
            )
        self._events[event.path] = event
        self._display.update(self._files[event.path], completed=event.done, total=event.total)
        seen = self._events.values()
        sizes = [each.total for each in seen if each.total is not None]
        self._display.update(
            self._total,
            completed=sum(each.done for each in seen),
            total=sum(sizes) if len(sizes) == len(seen) else None,
        )


def _columns(width: int) -> list[ProgressColumn]:
    """What fits: the name is cut first, and on a narrow terminal speed and time are left out."""
    name = Column(ratio=1, no_wrap=True, overflow="ellipsis")
    text = TextColumn("{task.description}", markup=False, table_column=name)
    if width < _WIDE:
        return [text, BarColumn(bar_width=8), DownloadColumn()]
    speed, time = TransferSpeedColumn(), TimeRemainingColumn(compact=True)
    return [text, BarColumn(bar_width=20), DownloadColumn(), speed, time]
