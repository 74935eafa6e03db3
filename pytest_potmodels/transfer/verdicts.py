"""What is known of a host, kept where all processes of a test session read it."""

import contextlib
import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_potmodels.errors import Reason

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Verdict:
    """Whether a host answers; if not, why we think so and since when (UTC)."""

    place: str
    reachable: bool
    reason: Reason = Reason.OFFLINE
    why: str = ""
    decided: str = ""

    @classmethod
    def now(cls, place: str, why: str = "", reason: Reason = Reason.OFFLINE) -> "Verdict":
        """A verdict of this moment; reachable when there is nothing against it."""
        moment = datetime.now(UTC).strftime("%H:%M:%S UTC")
        return cls(place, not why, reason, why, moment)


class Verdicts:
    """Verdicts by place: one small file each in `folder`, or in memory only (None)."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._memory: dict[str, Verdict] = {}
        self._guard = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}

    def get(self, place: str) -> Verdict | None:
        """The verdict, also one that another process has just made."""
        if self._folder is None:
            return self._memory.get(place)
        try:
            facts = json.loads(self._file(self._folder, place).read_text(encoding="utf-8"))
            return Verdict(**{**facts, "reason": Reason(facts["reason"])})
        except (OSError, ValueError, TypeError, KeyError):
            # No file yet, or (Windows) one that is being replaced at this moment.
            return self._memory.get(place)

    def put(self, verdict: Verdict) -> None:
        """Tell this process and the others."""
        self._memory[verdict.place] = verdict
        if self._folder is None:
            return
        target = self._file(self._folder, verdict.place)
        try:
            _write(target, json.dumps(asdict(verdict)))
        except OSError as error:
            _log.debug("verdict on %s stays in this process: %s", verdict.place, error)

    @contextlib.contextmanager
    def deciding(self, place: str, *, timeout: float) -> Iterator[None]:
        """Be the only one who decides on a place; after `timeout` seconds go ahead all the same."""
        with self._guard:
            own = self._locks.setdefault(place, threading.Lock())
        with own, contextlib.ExitStack() as stack:
            if self._folder is not None:
                self._lock(stack, self._folder, place, timeout)
            yield

    def _lock(self, stack: contextlib.ExitStack, folder: Path, place: str, timeout: float) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = self._file(folder, place).with_suffix(".lock")
            stack.enter_context(FileLock(path).acquire(timeout=timeout))
        except (OSError, Timeout) as error:
            _log.debug("deciding on %s without the others: %s", place, error)

    @staticmethod
    def _file(folder: Path, place: str) -> Path:
        # A digest, because an IPv6 address and a port hold characters that Windows refuses.
        return folder / f"host-{hashlib.sha256(place.encode()).hexdigest()[:16]}.json"


def _write(target: Path, text: str) -> None:
    fresh = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        fresh.write_text(text, encoding="utf-8")
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
