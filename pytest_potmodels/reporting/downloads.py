"""A line now and then while a test waits for a download."""

import time
from collections.abc import Callable

from pytest_potmodels.transfer.progress import Progress

#: Short downloads are nobody's news; long ones are told about this often, in seconds.
_EVERY = 5.0
_MEGABYTE = 1e6


class DownloadLines:
    """Turns progress events into lines such as `fetching model.safetensors: 120 of 438 MB`."""

    def __init__(
        self, write: Callable[[str], None], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._write = write
        self._clock = clock
        self._told: dict[str, float] = {}

    def __call__(self, event: Progress) -> None:
        """Take an event; write a line if it is time for one."""
        now = self._clock()
        if now - self._told.setdefault(event.path, now) < _EVERY:
            return
        self._told[event.path] = now
        self._write(f"potmodels: {_WORDS[event.phase]} {event.path}: {_amount(event)}")


_WORDS = {
    "started": "fetching",
    "moving": "fetching",
    "retrying": "trying again to fetch",
    "done": "fetched",
}


def _amount(event: Progress) -> str:
    done = f"{event.done / _MEGABYTE:.0f}"
    return f"{done} of {event.total / _MEGABYTE:.0f} MB" if event.total else f"{done} MB"
