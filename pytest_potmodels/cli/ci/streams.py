"""Output that a runner of GitHub Actions reads: commands only where one is meant."""

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO, cast

from pytest_potmodels.ci.event import runner
from pytest_potmodels.ci.outputs import Level, annotation, harmless, masked
from pytest_potmodels.cli.console import say


class _Command(str):
    """A text that is meant as a command."""

    __slots__ = ()


class _Harmless:
    """A stream that nothing can be slipped into which a runner obeys."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write; what looks like a command is spoilt unless it is one."""
        return self._stream.write(text if isinstance(text, _Command) else harmless(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def read_by_a_runner() -> Iterator[None]:
    """Have nothing that is printed in this block be taken for a command, where that happens."""
    if not runner(os.environ):
        yield
        return
    out, err = (cast(TextIO, _Harmless(stream)) for stream in (sys.stdout, sys.stderr))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield


def annotate(level: Level, message: str, *, file: str = "", line: int = 0) -> None:
    """Show a message beside a file on GitHub; elsewhere say it."""
    if runner(os.environ):
        _command(annotation(level, message, file=file, line=line))
    else:
        say(message, label=level)


def mask(secret: str) -> None:
    """Have the runner keep a secret out of its log."""
    if secret and runner(os.environ):
        _command(masked(secret))


def _command(text: str) -> None:
    sys.stderr.write(_Command(text))
    sys.stderr.flush()
