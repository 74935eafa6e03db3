import threading
import time

import pytest

from pytest_potmodels.transfer.bounded import StoppedError, UnfinishedError, within


def test_a_result_comes_through() -> None:
    assert within(5, lambda: 42) == 42


def test_an_error_comes_through_as_it_is() -> None:
    error = KeyError("x")

    def fail() -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        within(5, fail)
    assert caught.value is error


def test_what_hangs_is_left_behind() -> None:
    release = threading.Event()
    with pytest.raises(UnfinishedError):
        within(0.2, lambda: release.wait(30))
    release.set()


def test_a_result_that_comes_too_late_is_discarded() -> None:
    release, closed = threading.Event(), threading.Event()

    def late() -> str:
        release.wait(30)
        return "a connection"

    with pytest.raises(UnfinishedError):
        within(0.1, late, discard=lambda _: closed.set())
    assert not closed.is_set()
    release.set()
    assert closed.wait(10)


def test_stop_ends_the_wait() -> None:
    stop, release = threading.Event(), threading.Event()
    threading.Timer(0.2, stop.set).start()
    started = time.monotonic()
    with pytest.raises(StoppedError):
        within(30, lambda: release.wait(30), stop=stop)
    assert time.monotonic() - started < 10
    release.set()
