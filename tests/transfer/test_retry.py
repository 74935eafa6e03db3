import threading
import time

import pytest

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.failures import TransientError, bad_status, timed_out
from pytest_potmodels.transfer.retry import Patience

URL = "https://me:pass@hub.example/x?Signature=secret"


class Trial:
    """A Patience, and what it has condemned."""

    def __init__(self, *, retries: int = 5, seconds: float = 60) -> None:
        self.condemned: list[str] = []
        self.stop = threading.Event()
        self.patience = Patience(
            URL,
            retries=retries,
            deadline=Deadline(seconds),
            stop=self.stop,
            condemn=self._condemn,
        )

    def _condemn(self, url: str, why: str, reason: Reason, silence: float) -> None:
        self.condemned.append(why)

    def fails(self, failure: TransientError, *, progressed: bool = False) -> UnavailableError:
        with pytest.raises(UnavailableError) as caught:
            self.patience.endure(failure, progressed=progressed)
        return caught.value


def test_the_pauses_grow() -> None:
    trial = Trial()
    started = time.monotonic()
    trial.patience.endure(bad_status(500, {}, URL), progressed=False)
    first = time.monotonic() - started
    trial.patience.endure(bad_status(500, {}, URL), progressed=False)
    second = time.monotonic() - started - first
    assert first >= 0.5
    assert second >= 1.0


def test_no_retries_are_one_try() -> None:
    error = Trial(retries=0).fails(bad_status(503, {}, URL))
    assert error.reason is Reason.SERVER
    assert "1 try over" in error.message
    assert "503 Service Unavailable from hub.example" in error.message


def test_progress_starts_the_count_again() -> None:
    trial = Trial(retries=1)
    for _ in range(3):
        trial.patience.endure(bad_status(500, {}, URL), progressed=True)
    trial.fails(bad_status(500, {}, URL))


def test_a_wait_beyond_the_deadline_ends_at_once_with_the_true_reason() -> None:
    trial = Trial(seconds=30)
    started = time.monotonic()
    error = trial.fails(bad_status(429, {"retry-after": "3600"}, URL))
    assert time.monotonic() - started < 5
    assert error.reason is Reason.SERVER
    assert "429 Too Many Requests from hub.example, Retry-After 3600 s" in error.message
    assert "are left" in error.message


def test_a_passed_deadline_is_a_timeout_that_keeps_the_cause() -> None:
    error = Trial(seconds=0).fails(bad_status(502, {}, URL))
    assert error.reason is Reason.TIMEOUT
    assert "502 Bad Gateway" in error.message


def test_credentials_and_signatures_are_not_in_the_message() -> None:
    message = str(Trial(retries=0).fails(bad_status(503, {}, URL)))
    assert "https://hub.example/x" in message
    assert "pass" not in message
    assert "secret" not in message


def test_a_stop_ends_the_wait() -> None:
    trial = Trial()
    trial.stop.set()
    with pytest.raises(StoppedError):
        trial.patience.endure(bad_status(429, {"retry-after": "50"}, URL), progressed=False)


def test_a_host_that_never_began_a_reply_is_condemned() -> None:
    trial = Trial(retries=1)
    trial.patience.endure(timed_out(URL, 10), progressed=False)
    trial.fails(timed_out(URL, 10))
    assert trial.condemned[0].startswith("no answer from hub.example within 10 s, 2 tries over")


def test_a_host_that_answered_once_in_between_is_not() -> None:
    trial = Trial(retries=1)
    trial.patience.endure(bad_status(500, {}, URL), progressed=False)
    trial.fails(timed_out(URL, 10))
    assert trial.condemned == []


def test_one_wait_that_the_deadline_cut_short_condemns_nobody() -> None:
    for seconds in (0, 0.3):
        trial = Trial(seconds=seconds)
        trial.fails(timed_out(URL, 10))
        assert trial.condemned == []
