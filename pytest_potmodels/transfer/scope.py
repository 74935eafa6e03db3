"""The common end of all threads that work on one call: time is up, or a sibling failed."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import httpx2

from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.deadline import Deadline


class CancelScope:
    """A deadline, a stop sign, and the connections to cut so that no thread sleeps past either.

    A read timeout alone would let a stalled body outlast the deadline by that timeout.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.stopped = threading.Event()
        self._lock = threading.Lock()
        self._open: set[httpx2.Response] = set()
        self.was_cut = False

    def stop(self) -> None:
        """Have every thread end with StoppedError as soon as it can."""
        self.stopped.set()
        self.cut()

    def cut(self) -> None:
        """Wake the threads that wait for bytes."""
        self.was_cut = True
        with self._lock:
            for response in self._open:
                _shut(response)

    @contextlib.contextmanager
    def receiving(self, response: httpx2.Response) -> Iterator[None]:
        """Let `cut` reach this response while its body is read."""
        with self._lock:
            self._open.add(response)
        try:
            yield
        finally:
            with self._lock:
                self._open.discard(response)

    def check(self, what: str) -> None:
        """Pass while there is time and somebody waits.

        Raises:
            StoppedError: stopped.
            UnavailableError: TIMEOUT.
        """
        if self.stopped.is_set():
            raise StoppedError
        self.deadline.check(what)


class Scopes:
    """The calls under way, to be stopped together."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._live: set[CancelScope] = set()
        self._stopped = False

    @contextlib.contextmanager
    def one(self, deadline: Deadline) -> Iterator[CancelScope]:
        """The scope of one call; it is stopped from the start once `stop` was called."""
        scope = CancelScope(deadline)
        with self._lock:
            self._live.add(scope)
            if self._stopped:
                scope.stop()
        try:
            yield scope
        finally:
            with self._lock:
                self._live.discard(scope)

    def stop(self) -> None:
        """Have all calls end with StoppedError, and all that are still to come."""
        with self._lock:
            self._stopped = True
            for scope in self._live:
                scope.stop()


def _shut(response: httpx2.Response) -> None:
    stream = response.extensions.get("network_stream")
    connection = stream.get_extra_info("socket") if stream is not None else None
    if isinstance(connection, socket.socket):
        with contextlib.suppress(OSError):  # closed already
            connection.shutdown(socket.SHUT_RDWR)
