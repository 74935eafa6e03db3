"""The time a model may take in all, and what went wrong last."""

import time

from pytest_potmodels.errors import Reason, UnavailableError

REMEDY = "allow more time with --pot-timeout, or try again when the network is faster"


class Deadline:
    """A point in time, `seconds` from now; threads may share it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._last = ""

    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - time.monotonic())

    @property
    def expired(self) -> bool:
        """Whether the time is over."""
        return self.remaining() <= 0

    def note(self, reason: str) -> None:
        """Remember the latest failure: what `check` will name as the cause."""
        self._last = reason

    def check(self, what: str) -> None:
        """Pass while there is time left.

        Raises:
            UnavailableError: TIMEOUT; the message says what was under way and what failed last.
        """
        if self.expired:
            last = f"the last failure: {self._last}" if self._last else "nothing failed, it is slow"
            raise UnavailableError(
                f"{what}: the {self.seconds:g} s allowed are over; {last}.",
                reason=Reason.TIMEOUT,
                remedy=REMEDY,
            )
