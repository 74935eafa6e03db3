"""A line now and then while a test waits for a download, or for what is made of one."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pytest_potmodels.transfer.progress import Progress

#: Short downloads are nobody's news; long ones are told about this often, in seconds.
_EVERY = 5.0
_MEGABYTE = 1e6


class DownloadLines:
    """Turns progress events into lines such as `fetching bert model.safetensors: 120 of 438 MB`.

    Events come from other threads at any time. A line is written only while a test waits: in the
    middle of one, writing past pytest's capture would take its output away.
    """

    def __init__(
        self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._told: dict[tuple[str, str], float] = {}
        self._lock = threading.Lock()
        self._waiting = 0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Write lines in this block, in which the caller only waits."""
        with self._lock:
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                self._waiting -= 1

    def say(self, text: str) -> None:
        """Write a line if somebody waits."""
        with self._lock:
            if self._waiting:
                self._write(f"potmodels: {text}")

    def __call__(self, event: Progress) -> None:
        """Take an event; write a line if somebody waits and it is time for one."""
        file = (event.model, event.path)
        with self._lock:
            now = self._clock()
            if now - self._told.setdefault(file, now) < _EVERY or not self._waiting:
                return
            self._told[file] = now
            name = f"{event.model} {event.path}".strip()
            self._write(f"potmodels: {_WORDS[event.phase]} {name}: {_amount(event)}")


_WORDS = {
    "started": "fetching",
    "moving": "fetching",
    "retrying": "trying again to fetch",
    "done": "fetched",
}


def _amount(event: Progress) -> str:
    done = f"{event.done / _MEGABYTE:.0f}"
    return f"{done} of {event.total / _MEGABYTE:.0f} MB" if event.total else f"{done} MB"
