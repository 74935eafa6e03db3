"""What goes where: results on stdout, messages on stderr; colour and folding on terminals only."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

_LABEL_STYLES = {"error": "bold red", "critical": "bold red", "warning": "yellow"}


def put(text: str) -> None:
    """Write a line of result to stdout."""
    with _until_the_reader_leaves(sys.stdout):
        print(printable(text), file=sys.stdout, flush=True)  # noqa: T201 - the purpose of this module


def put_json(value: Any) -> None:
    """Write a document to stdout; ASCII, so that no console encoding can spoil it."""
    put(json.dumps(value, indent=2))


def say(text: str, *, label: str = "") -> None:
    """Write a message to stderr; the label ("error", "warning") before it has a colour."""
    head = f"{label}: " if label else ""
    with _until_the_reader_leaves(sys.stderr):
        if label and is_terminal(sys.stderr):
            from rich.console import Console  # noqa: PLC0415 - costs more than the message
            from rich.text import Text  # noqa: PLC0415

            line = Text.assemble((head, _LABEL_STYLES[label]), printable(text))
            Console(stderr=True).print(line, soft_wrap=True)
        else:
            print(head + printable(text), file=sys.stderr, flush=True)  # noqa: T201


def is_terminal(stream: TextIO | None) -> bool:
    """Whether a person reads this stream; unlike rich's test not swayed by FORCE_COLOR in CI."""
    return stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"


def is_anybody_there() -> bool:
    """Whether a person can answer a question."""
    stdin: TextIO | None = sys.stdin  # None where it is closed.
    return stdin is not None and stdin.isatty()


def printable(text: str) -> str:
    """The text without control characters: names from a server must not steer the terminal."""
    if text.isprintable():
        return text
    return "".join(
        c if c == "\n" or c.isprintable() else c.encode("unicode_escape").decode() for c in text
    )


def escape_what_the_encoding_lacks(*streams: TextIO) -> None:
    """Have `é` come out as an escape where the console cannot show it, not as an error."""
    for stream in streams:
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


@contextlib.contextmanager
def _until_the_reader_leaves(stream: TextIO) -> Iterator[None]:
    """Go on in silence when `| head -1` has read enough: the work itself is still to be done."""
    try:
        yield
    except OSError as error:
        # Windows says EINVAL where others say EPIPE.
        if not (isinstance(error, BrokenPipeError) or (os.name == "nt" and error.errno == 22)):  # noqa: PLR2004
            raise
        # Python flushes once more at exit, and would report that failure, too.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
