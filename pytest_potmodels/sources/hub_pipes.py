"""What comes out of a process that runs an entry point: messages in lines, and its own output.

Both are written by somebody else's code in the end, and may have no end.
"""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import IO, Any

#: Bytes of its own output that are kept: the last.
_KEPT = 1 << 16
#: Lines of them that an error shows.
_SHOWN = 5
#: Bytes of a message.
_LONGEST = 1 << 20
#: Seconds until what was said before a message has come through the other pipe.
_BEHIND = 1.0


class Messages:
    """JSON objects, one in a line."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        _in_background(self._read, stream)

    def next(self, *, timeout: float) -> Any:
        """The next one, or what is none as None.

        Raises:
            queue.Empty: none within this time.
            EOFError: there will be none.
        """
        line = self._lines.get(timeout=timeout)
        if not line:
            raise EOFError
        with suppress(ValueError, RecursionError):
            return json.loads(line)
        return None

    def _read(self, stream: IO[bytes]) -> None:
        for line in _until_closed(lambda: stream.readline(_LONGEST)):
            self._lines.put(line)
        self._lines.put(b"")


class LastWords:
    """The end of an output; all of it is read, so that nobody has to wait to write."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._kept = b""
        self._reading = _in_background(self._read, stream)

    def __str__(self) -> str:
        self._reading.join(_BEHIND)
        lines = self._kept.decode("utf-8", "replace").splitlines()
        last = [line.strip() for line in lines if line.strip()][-_SHOWN:]
        return f" Its last words: {' / '.join(last)}" if last else ""

    def _read(self, stream: IO[bytes]) -> None:
        for chunk in _until_closed(lambda: stream.read(_KEPT)):
            self._kept = (self._kept + chunk)[-_KEPT:]


def _until_closed(read: Callable[[], bytes]) -> Iterator[bytes]:
    with suppress(OSError, ValueError):  # Closed from this side.
        yield from iter(read, b"")


def _in_background(target: Callable[[IO[bytes]], None], stream: IO[bytes]) -> threading.Thread:
    thread = threading.Thread(target=target, args=(stream,), name="potmodels-hub", daemon=True)
    thread.start()
    return thread
