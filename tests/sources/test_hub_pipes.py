"""What comes through the pipes of a process whose code is somebody else's."""

import os
import queue
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import pytest

from pytest_potmodels.sources.hub_pipes import LastWords, Messages


@contextmanager
def pipe() -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    end, start = os.pipe()
    with os.fdopen(end, "rb", 0) as out, os.fdopen(start, "wb", 0) as into:
        yield out, into


def test_the_last_lines_are_kept() -> None:
    with pipe() as (out, into):
        said = LastWords(out)
        into.write(b"\n".join(b"line %d" % number for number in range(9)) + b"\n\xff\n")
        into.close()
        assert str(said) == " Its last words: line 5 / line 6 / line 7 / line 8 / \ufffd"


def test_an_output_without_end_is_read_and_takes_no_memory() -> None:
    with pipe() as (out, into):
        said = LastWords(out)
        tracemalloc.start()
        try:
            for _ in range(300):
                into.write(b"x" * 100_000)
            into.write(b"\nend")
            into.close()
            assert str(said).endswith("/ end")
            assert tracemalloc.get_traced_memory()[1] < 3_000_000
        finally:
            tracemalloc.stop()


def test_who_says_nothing_and_stays_is_not_waited_for() -> None:
    with pipe() as (out, _):
        assert str(LastWords(out)) == ""


def test_messages_come_one_by_one_and_have_an_end() -> None:
    with pipe() as (out, into):
        messages = Messages(out)
        with pytest.raises(queue.Empty):
            messages.next(timeout=0.01)
        into.write(b'{"a": 1}\n{"b": 2}\n')
        into.close()
        assert messages.next(timeout=9) == {"a": 1}
        assert messages.next(timeout=9) == {"b": 2}
        with pytest.raises(EOFError):
            messages.next(timeout=9)


@pytest.mark.parametrize(
    "said", [b"no JSON\n", b"\xff\n", b"[" * 100_000 + b"\n", b"1" * 1_100_000], ids=range(4)
)
def test_what_is_no_message_is_none(said: bytes) -> None:
    with pipe() as (out, into):
        messages: Any = Messages(out)
        for start in range(0, len(said), 60_000):
            into.write(said[start : start + 60_000])
        assert messages.next(timeout=30) is None
