"""Progress on a terminal: a bar for each file that moves and one for all, gone when all is here."""

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

#: The model's name and the path in it.
_File = tuple[str, str]
#: Columns from which there is room for names, bars and figures.
_WIDE = 80


class Bars:
    """One live display; the first bar is the total of the files that have begun.

    Of one model the files that are complete stay, of several they make room for others.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._display: Progress | None = None
        self._total = TaskID(0)
        self._title = ""
        self._files: dict[_File, TaskID] = {}
        self._events: dict[_File, progress.Progress] = {}

    @contextlib.contextmanager
    def watching(self, title: str) -> Iterator[None]:
        """Show what is asked for, one model or several; the files follow."""
        self._display = Progress(
            *_columns(self._console.width), console=self._console, transient=True, expand=True
        )
        self._files, self._events, self._title = {}, {}, title
        self._total = self._display.add_task(printable(title), total=None)
        with self._display:
            yield
        self._display = None

    def __call__(self, event: "progress.Progress") -> None:
        """Move the file's bar and the total."""
        if self._display is None:
            return
        file, is_of_several = (event.model, event.path), event.model not in ("", self._title)
        if file not in self._files:
            whose = f"{event.model}: " if is_of_several else ""
            # What a killed run left does not count as speed: a task's clock starts at it.
            self._files[file] = self._display.add_task(
                f"  {printable(whose + event.path)}", total=event.total, completed=event.done
            )
        self._events[file] = event
        there = not (is_of_several and event.phase == "done")
        self._display.update(
            self._files[file], completed=event.done, total=event.total, visible=there
        )
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
