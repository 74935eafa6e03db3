"""How often and how long to try again, and the sentence at the end of it."""

import logging
import threading
import time
from collections.abc import Callable
from random import SystemRandom

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import deadline as deadlines
from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.deadline import Deadline
from pytest_potmodels.transfer.failures import TransientError
from pytest_potmodels.transfer.urls import shown

_log = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
#: So many silent waits in a row condemn a host even if time, not patience, ran out.
_SILENT_TRIES = 2
_RANDOM = SystemRandom()
_REMEDY = "try again later, or name a mirror with --pot-mirror OLD=NEW"

#: Told of a host that never began a reply: url, what happened, reason, seconds of silence.
Condemn = Callable[[str, str, Reason, float], None]


class Patience:
    """The failures of one file or call, and the waits between its tries.

    Workers that fail together must not come back together: each wait is up to a half longer.
    """

    def __init__(
        self,
        url: str,
        *,
        retries: int,
        deadline: Deadline,
        stop: threading.Event,
        condemn: Condemn,
    ) -> None:
        self._url = shown(url)
        self._retries = retries
        self._deadline = deadline
        self._stop = stop
        self._condemn = condemn
        self._started = self._last_sign = time.monotonic()
        self._tries = 0
        self._in_a_row = 0
        self._silent = 0

    def endure(self, failure: TransientError, *, progressed: bool) -> None:
        """Wait until the next try is due.

        `progressed` says that this try moved bytes that none before had moved.

        Raises:
            UnavailableError: no further try is allowed; the message names the last failure.
            StoppedError: nobody waits for the outcome any more.
        """
        self._count(failure, progressed=progressed)
        pause = self._pause(failure)
        if self._deadline.expired or self._in_a_row > self._retries or pause is None:
            self._report_silence(failure)
            raise self._given_up(failure) from None
        _log.debug("%s: %s; try %d in %.2f s", self._url, failure.why, self._tries + 1, pause)
        if self._stop.wait(pause):
            raise StoppedError

    def _count(self, failure: TransientError, *, progressed: bool) -> None:
        self._deadline.note(failure.why)
        self._tries += 1
        self._in_a_row = 1 if progressed else self._in_a_row + 1
        self._silent = self._silent + 1 if failure.unanswered else 0
        if not self._silent:
            self._last_sign = time.monotonic()

    def _pause(self, failure: TransientError) -> float | None:
        """Seconds to wait, or None where that would outlast the deadline."""
        doubled: float = _FIRST_PAUSE * 2 ** min(self._in_a_row - 1, 10)
        pause = min(doubled, _LONGEST_PAUSE) * _RANDOM.uniform(1.0, 1.5)
        if failure.retry_after is not None:
            pause = max(failure.retry_after, _FIRST_PAUSE) + _RANDOM.uniform(0.0, 0.2)
        return pause if pause < self._deadline.remaining() else None

    def _report_silence(self, failure: TransientError) -> None:
        """Have the host given up if it never began a reply in all of this row of failures."""
        hurried = self._in_a_row <= self._retries and self._silent < _SILENT_TRIES
        if self._silent >= self._in_a_row and not hurried:
            silence = time.monotonic() - self._last_sign
            self._condemn(failure.url, f"{failure.why}, {self._tried()}", failure.reason, silence)

    def _given_up(self, failure: TransientError) -> UnavailableError:
        out_of_time = self._deadline.expired
        left = self._deadline.remaining()
        if out_of_time:
            end = f"the {self._deadline.seconds:g} s allowed are over"
        elif self._in_a_row > self._retries:
            end = "gave up"
        else:
            end = f"gave up: {left:.0f} s are left, too few for another try"
        return UnavailableError(
            f"{self._url}: {end} after {self._tried()}; the last: {failure.why}.",
            reason=Reason.TIMEOUT if out_of_time else failure.reason,
            remedy=deadlines.REMEDY if out_of_time else _REMEDY,
        )

    def _tried(self) -> str:
        tries = "1 try" if self._tries == 1 else f"{self._tries} tries"
        return f"{tries} over {time.monotonic() - self._started:.1f} s"
