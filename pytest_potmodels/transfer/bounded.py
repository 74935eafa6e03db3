"""Run what may hang, for a bounded time.

A name lookup cannot be cancelled, and a server that trickles its headers outlasts any read
timeout. Both go into a daemon thread that is left behind when the time is over.
"""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

#: Between looks at `stop`; also what keeps Ctrl-C alive on Windows, where a long wait is deaf.
_SLICE = 0.1


class UnfinishedError(TimeoutError):
    """The time was over first."""


class StoppedError(Exception):
    """The caller's `stop` was set first."""


class _Task(Generic[T]):
    def __init__(self, function: Callable[[], T], discard: Callable[[T], None] | None) -> None:
        self._function = function
        self._discard = discard
        self._lock = threading.Lock()
        self._abandoned = False
        self._result: T
        self._error: BaseException | None = None
        self.done = threading.Event()

    def run(self) -> None:
        try:
            result = self._function()
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
            self._error = error
        else:
            with self._lock:
                self._result = result
                unwanted = self._abandoned
            if unwanted and self._discard is not None:
                self._discard(result)
        self.done.set()

    def abandon(self) -> None:
        with self._lock:
            self._abandoned = True
            late = hasattr(self, "_result")
        if late and self._discard is not None:
            self._discard(self._result)

    def result(self) -> T:
        if self._error is not None:
            raise self._error
        return self._result


def within(
    seconds: float,
    function: Callable[[], T],
    *,
    stop: threading.Event | None = None,
    discard: Callable[[T], None] | None = None,
) -> T:
    """Call `function` in a thread of its own and return what it returns, or raise what it raises.

    `stop` ends the wait early. `discard` is called with a result that came too late, to close it.

    Raises:
        UnfinishedError: not done after `seconds`.
        StoppedError: `stop` was set.
    """
    task = _Task(function, discard)
    threading.Thread(target=task.run, name="potmodels-bounded", daemon=True).start()
    try:
        _wait(task.done, seconds, stop)
    except BaseException:
        task.abandon()
        raise
    return task.result()


def _wait(done: threading.Event, seconds: float, stop: threading.Event | None) -> None:
    end = time.monotonic() + seconds
    while not done.wait(max(0.0, min(_SLICE, end - time.monotonic()))):
        if stop is not None and stop.is_set():
            raise StoppedError
        if time.monotonic() >= end:
            raise UnfinishedError
