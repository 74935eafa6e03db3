"""`potmodels` on a pseudo-terminal, as a person sees it."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import time
from types import TracebackType
from typing import Self

from cli.harness import Cli

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Terminal:
    """A process whose streams are all one terminal."""

    def __init__(self, cli: Cli, *words: str, columns: int = 100) -> None:
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        cli.environ |= {"TERM": "xterm-256color", "COLUMNS": str(columns)}
        self._child = cli.start(*words, stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        self.raw = ""

    @property
    def text(self) -> str:
        """All that was shown, without colours and cursor movements."""
        return _ESCAPE.sub("", self.raw)

    def wait_for(self, words: str, *, seconds: float = 30) -> None:
        """Read until some words have been shown."""
        end = time.monotonic() + seconds
        while words not in self.text:
            assert time.monotonic() < end, f"{words!r} never came:\n{self.text}"
            assert self._read(), f"ended without {words!r}:\n{self.text}"

    def press(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def interrupt(self) -> None:
        """Send what Ctrl-C sends."""
        self._child.send_signal(signal.SIGINT)

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self._child.wait(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._child.poll() is None:
            self._child.kill()
            self._child.wait(timeout=30)
        os.close(self._master)

    def _read(self) -> bool:
        try:
            chunk = os.read(self._master, 65536)
        except OSError:  # Linux says EIO when the other side is gone.
            return False
        self.raw += chunk.decode(errors="replace")
        return bool(chunk)
