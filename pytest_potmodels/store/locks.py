"""One process at a time brings a model; a waiter says who holds the lock.

The lock is speed only. Correctness is the rename at the end of an admission, so a lock that
a file system does not honour costs a second download, never a broken entry.
"""

import contextlib
import json
import logging
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.layout import unwritable

_log = logging.getLogger(__name__)
_REPORT_EVERY = 10.0
_POLL = 0.05


@contextlib.contextmanager
def held(path: Path, *, timeout: float) -> Iterator[None]:
    """Hold the lock file at `path`; wait at most `timeout` seconds for it.

    Raises:
        StoreError: the wait was too long (the message names the holder), or the folder does
            not take files.
    """
    # Falls back to a soft lock where the file system has no flock (some NFS, CIFS mounts).
    lock = FileLock(path)
    _acquire(lock, path, time.monotonic() + timeout)
    _sign(path)
    try:
        yield
    finally:
        _holder_file(path).unlink(missing_ok=True)
        lock.release()


def _acquire(lock: FileLock, path: Path, deadline: float) -> None:
    wait = 0.0
    while True:
        try:
            lock.acquire(timeout=wait, poll_interval=_POLL)
        except Timeout:
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise _too_long(path) from None
            if wait:
                _log.warning("still waiting for %s: %s", path.stem, holder(path))
            else:
                _log.info("waiting for %s: %s", path.stem, holder(path))
            wait = min(_REPORT_EVERY, remaining)
        except OSError as error:
            raise unwritable(path.parent, error) from error
        else:
            return


def holder(path: Path) -> str:
    """Who holds a lock, in words; "an unknown process" when it did not say."""
    try:
        facts = json.loads(_holder_file(path).read_text(encoding="utf-8"))
        age = max(0.0, time.time() - float(facts["since"]))
        return f"held by process {facts['pid']} on {facts['host']} for {age:.0f} s"
    except (OSError, ValueError, KeyError, TypeError):
        return "held by an unknown process"


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
