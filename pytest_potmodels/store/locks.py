"""One process at a time brings a model; a waiter says who holds the lock.

The lock is speed only. Correctness is the rename at the end of an admission, so a lock that
a file system does not honour costs a second download, never a broken entry.
"""

import contextlib
import errno
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.layout import unwritable

_log = logging.getLogger(__name__)
#: Seconds; a shorter wait is not worth a line, and the holder has signed by then.
_FIRST_REPORT = 0.5
_REPORT_EVERY = 10.0
_POLL = 0.05
#: Between tries for a lock that everybody gives back at once.
_BRIEF_POLL = 0.002
#: What file systems without flock answer (NFS without its lock service, CIFS, some clusters').
NO_FLOCK = frozenset({errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP})


@contextlib.contextmanager
def held(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock file at `path`; wait at most `timeout` seconds for it.

    Raises:
        StoreError: the wait was too long (the message names the holder), or the folder does
            not take files.
    """
    lock = _acquired(path, time.monotonic() + timeout)
    try:
        _sign(path)
        yield
    finally:
        with contextlib.suppress(OSError):
            _holder_file(path).unlink()
        lock.release()


@contextlib.contextmanager
def briefly(path: Path, *, timeout: float = 10.0) -> Iterator[None]:
    """Hold the lock file at `path` for less than a blink, unsigned; raises like `held`."""
    lock = _acquired(path, time.monotonic() + timeout, poll=_BRIEF_POLL)
    try:
        yield
    finally:
        lock.release()


def holder(path: Path) -> str:
    """Who holds a lock, in words; "an unknown process" when it did not say."""
    try:
        facts = json.loads(_holder_file(path).read_text(encoding="utf-8"))
        age = max(0.0, time.time() - float(facts["since"]))
        return f"held by process {facts['pid']} on {facts['host']} for {age:.0f} s"
    except (OSError, ValueError, KeyError, TypeError):
        return "held by an unknown process"


def _acquired(path: Path, deadline: float, *, poll: float = _POLL) -> BaseFileLock:
    try:
        return _wait_for(FileLock(path, fallback_to_soft=False), path, deadline, poll)
    except OSError as error:
        if error.errno not in NO_FLOCK:
            raise unwritable(path.parent, error) from error
    _log.debug("%s: no flock here, a marker file is the lock", path.parent)
    try:
        return _wait_for(SoftFileLock(path.with_suffix(".soft")), path, deadline, poll)
    except OSError as error:
        raise unwritable(path.parent, error) from error


def _wait_for(lock: BaseFileLock, path: Path, deadline: float, poll: float) -> BaseFileLock:
    level, slice_ = logging.INFO, _FIRST_REPORT
    while True:
        remaining = max(0.0, deadline - time.monotonic())
        try:
            lock.acquire(timeout=min(slice_, remaining), poll_interval=poll)
        except Timeout:
            if time.monotonic() >= deadline:
                raise _too_long(path) from None
            _log.log(level, "waiting for %s: %s", path.stem, holder(path))
            level, slice_ = logging.WARNING, _REPORT_EVERY
        else:
            return lock


def _sign(path: Path) -> None:
    facts = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.time()}
    with contextlib.suppress(OSError):
        _holder_file(path).write_text(json.dumps(facts), encoding="utf-8")


def _holder_file(path: Path) -> Path:
    return path.with_suffix(".holder")


def _too_long(path: Path) -> StoreError:
    return StoreError(
        f"Waited too long for the lock of {path.stem}: {holder(path)}.",
        remedy=f"wait for that process or end it, or raise --pot-timeout (lock file: {path})",
    )
