"""Is the network there? Decided once per host and test session, before the first request.

Without it each of N workers would find out for each model, with all retries.
"""

import logging
import time

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import probe
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.proxies import proxy_for
from pytest_potmodels.transfer.urls import origin, place
from pytest_potmodels.transfer.verdicts import Verdict, Verdicts

_log = logging.getLogger(__name__)

#: The prober needs at most its budget; the rest is for a busy machine.
_WAIT = probe.BUDGET + 0.8


class Reachability:
    """Lets requests through to hosts that answer, and fails at once for those that do not."""

    def __init__(self, policy: TransferPolicy) -> None:
        self._blocked = policy.blocked
        self._verdicts = Verdicts(policy.session_dir)
        self._answered: dict[str, float] = {}

    def close(self, by: str) -> None:
        """Let nothing through from now on; `by` names the setting that says so."""
        self._blocked = by

    @property
    def is_closed(self) -> bool:
        """Whether a setting keeps the network closed."""
        return bool(self._blocked)

    def noted(self, topic: str) -> Verdict | None:
        """What some process of the session noted about something that is no host."""
        return self._verdicts.get(topic)

    def note(self, topic: str, why: str, reason: Reason) -> None:
        """Tell all processes of the session about something that is no host."""
        self._verdicts.put(Verdict.now(topic, why, reason))

    def ensure_open(self) -> None:
        """Pass unless the network is closed by a setting.

        Raises:
            UnavailableError: OFFLINE; the message names the setting.
        """
        if self._blocked:
            raise UnavailableError(
                f"The network is closed by {self._blocked}.",
                reason=Reason.OFFLINE,
                remedy="potmodels download NAME where the network is open, or lift that setting",
            )

    def ensure(self, url: str) -> None:
        """Pass if the URL's host, or the proxy on the way to it, takes connections.

        Raises:
            UnavailableError: OFFLINE, or the reason for which the host was given up before.
        """
        self.ensure_open()
        verdict = self._verdict(_gate(url))
        if not verdict.reachable:
            raise _unreachable(url, verdict)

    def answered(self, url: str) -> None:
        """Note that the host has just replied."""
        self._answered[place(_gate(url))] = time.monotonic()

    def condemn(self, url: str, why: str, reason: Reason, silent_for: float) -> None:
        """Give up a host that has not replied for `silent_for` seconds, for the whole session."""
        where = place(_gate(url))
        if self._answered.get(where, 0.0) > time.monotonic() - silent_for:
            return  # It did reply, to another thread: this file is the trouble, not the host.
        _log.debug("%s is given up for this session: %s", where, why)
        self._verdicts.put(Verdict.now(where, why, reason))

    def _verdict(self, gate: str) -> Verdict:
        where = place(gate)
        if known := self._verdicts.get(where):
            return known
        with self._verdicts.deciding(where, timeout=_WAIT):
            if known := self._verdicts.get(where):
                return known
            verdict = _decide(gate)
            self._verdicts.put(verdict)
            return verdict


def _gate(url: str) -> str:
    """What must be reachable for this URL."""
    return proxy_for(url) or url


def _decide(gate: str) -> Verdict:
    target = origin(gate)
    failure = probe.probe(target.host, target.port)
    _log.debug("%s: %s", target.place, failure or "reachable")
    return Verdict.now(target.place, failure)


def _unreachable(url: str, verdict: Verdict) -> UnavailableError:
    via = "" if verdict.place == place(url) else f", the proxy for {place(url)},"
    return UnavailableError(
        f"{verdict.place}{via} is not reachable: {verdict.why}, decided at {verdict.decided}.",
        reason=verdict.reason,
        remedy="check the connection, name a mirror with --pot-mirror OLD=NEW, "
        "or work from the cache with --pot-offline",
    )
