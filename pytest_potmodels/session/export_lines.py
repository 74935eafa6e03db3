"""Lines about an export that a test waits for: that it begins, and now and then how far it is."""

import time
from collections.abc import Callable

#: Seconds between lines.
_EVERY = 5.0


class ExportLines:
    """Turns what an export says into lines for people who wait for a test.

    Args:
        name: the model, as the test asks for it.
        write: shows a line.
        clock: seconds.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[str], None],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._write = write
        self._clock = clock
        self._began: float | None = None
        self._told = 0.0

    def __call__(self, line: str) -> None:
        """Take a line; show it if it is the first, or time for one."""
        now = self._clock()
        if self._began is None:
            self._began = self._told = now
            self._write(f"making the ONNX file of {self._name}, once for this machine")
        elif now - self._told >= _EVERY:
            self._told = now
            self._write(f"the ONNX file of {self._name}: {line} ({now - self._began:.0f} s)")

    def done(self) -> None:
        """It is there, or never will be; where nothing was shown, nothing is."""
        if self._began is not None:
            seconds = self._clock() - self._began
            self._write(f"made the ONNX file of {self._name} in {seconds:.0f} s")
