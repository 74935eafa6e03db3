"""Events for progress bars, few enough to draw."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

Phase = Literal["started", "moving", "retrying", "done"]

_INTERVAL = 0.1


@dataclass(frozen=True)
class Progress:
    """How far one file is, in bytes; `total` is None while nobody has said it.

    `started` comes once per file and holds what a killed run had left; `done` comes last.
    `model` is the name by which the file's model was asked for, where the caller gave one.
    """

    path: str
    done: int
    total: int | None
    phase: Phase
    model: str = ""


class ProgressMeter:
    """Passes events on, one at a time, `moving` at most ten times a second per file."""

    def __init__(self, on_progress: Callable[[Progress], None] | None) -> None:
        self._on_progress = on_progress
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], float] = {}

    def report(self, event: Progress) -> None:
        """Pass an event on, unless the last one is too recent."""
        if self._on_progress is None:
            return
        with self._lock:
            now = time.monotonic()
            file = (event.model, event.path)
            if event.phase == "moving" and now - self._last.get(file, 0.0) < _INTERVAL:
                return
            self._last[file] = now
            self._on_progress(event)
