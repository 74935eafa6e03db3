"""What running processes use, so that nothing removes it under them.

A process holds the lock of one file in `.pot/leases` to its end, and beside it stands the list of
what it uses. The system gives the lock back when the process ends, however it ends: a lease
cannot outlive its process. Who removes something holds `.pot/locks/leases.lock` over the look at
the leases and the rename; who takes a lease holds it over the write, and looks for the entry
afterwards.
"""

import atexit
import contextlib
import json
import logging
import os
import socket
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from filelock import BaseFileLock, FileLock, Timeout

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.layout import Layout, unwritable
from pytest_potmodels.store.locks import NO_FLOCK, briefly

_log = logging.getLogger(__name__)

#: Whose leases count: everybody's, those of other processes, nobody's.
Heed = Literal["all", "others", "none"]

#: Where a file system has no locks, nobody can tell whether a process lives: a day is its due.
_DAY = 86400.0


@dataclass(frozen=True)
class Lease:
    """What one running process uses."""

    process: int
    host: str
    command: str
    #: None where the list cannot be read: then it may be anything.
    names: frozenset[str] | None
    mine: bool = False

    def covers(self, name: str) -> bool:
        """Whether an entry is among what the process uses."""
        return self.names is None or name in self.names

    def __str__(self) -> str:
        return f"process {self.process} on {self.host} ({self.command})"


class Leases:
    """The leases of one cache folder."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._mine = _mine(layout)

    def take(self, name: str) -> bool:
        """Keep an entry from being removed until this process ends.

        A cache that cannot be written gives no leases.

        Returns:
            Whether it is new: then the entry may have gone a moment before, so look again.
        """
        if self._mine.process != os.getpid():
            self._mine = _mine(self._layout)  # This is a fork; the parent's lease is the parent's.
        return name not in self._mine.names and self._mine.add(name)

    @contextlib.contextmanager
    def settled(self) -> Iterator[tuple[Lease, ...]]:
        """The leases of all running processes; nobody takes a new one meanwhile.

        Raises:
            StoreError: the cache folder does not take files, or another process is stuck.
        """
        with _alone(self._layout):
            yield self.look()

    def look(self) -> tuple[Lease, ...]:
        """The leases of all running processes at this moment; those of dead ones are swept."""
        mine = self._mine.stem
        places = sorted(self._layout.leases.glob("*.json"))
        live = [each for each in places if each.stem == mine or _is_live(each.with_suffix(".lock"))]
        found = (_read(place, mine=place.stem == mine) for place in live)
        return tuple(lease for lease in found if lease is not None)

    def check_free(self, name: str, what: str, live: Sequence[Lease], heed: Heed) -> None:
        """Pass if no running process uses an entry.

        Raises:
            StoreError: one does; the message names it.
        """
        users = [] if heed == "none" else [each for each in live if each.covers(name)]
        users = [each for each in users if heed == "all" or not each.mine]
        if users:
            raise StoreError(
                f"{what} is in use by {' and '.join(map(str, users))}.",
                remedy="wait until it ends; `potmodels remove --force` does not wait",
            )


def let_go() -> None:
    """End all leases of this process, as its end does."""
    # Copied, because another thread may take one at the same moment.
    for held in list(_HELD.values()):
        if held.process == os.getpid():
            held.release()


class _Held:
    """The lease of this process on one cache; its file comes with the first entry."""

    def __init__(self, layout: Layout) -> None:
        self.process = os.getpid()
        self.stem = f"{self.process}-{uuid.uuid4().hex[:12]}"
        self.names: frozenset[str] = frozenset()
        self._layout = layout
        self._alone = threading.Lock()
        self._lock: BaseFileLock | None = None
        self._closed = False

    def add(self, name: str) -> bool:
        with self._alone:
            if self._closed or name in self.names:
                return False
            try:
                with _alone(self._layout):
                    self._write({*self.names, name})
            except (OSError, StoreError) as error:
                self._note(name, error)
                return False
            self.names |= {name}
            return True

    def release(self) -> None:
        with self._alone, contextlib.suppress(OSError):
            _sweep(self._place(".lock"))
            self.names = frozenset()
            if self._lock is not None:
                self._lock.release()
                self._lock = None
                _sweep(self._place(".lock"))  # Windows deletes no open file.

    def _write(self, names: set[str]) -> None:
        self._layout.leases.mkdir(exist_ok=True)
        if self._lock is None:
            for place in self._layout.leases.glob("*.lock"):
                _is_live(place)  # Killed processes, and xdist's workers, do not clean up.
            self._lock = _locked(self._place(".lock"))
        facts = {"process": self.process, "host": socket.gethostname(), "command": _command()}
        self._place(".json").write_text(json.dumps({**facts, "names": sorted(names)}), "utf-8")

    def _note(self, name: str, error: OSError | StoreError) -> None:
        cause = error if isinstance(error, OSError) else error.__cause__
        if isinstance(cause, OSError):
            # A cache that cannot be written: nothing can be removed from it here either.
            self._closed = True
            _log.debug("%s: no leases: %s", self._layout.root, cause)
        else:
            _log.warning("%s has no lease, a prune may remove it: %s", name, error)

    def _place(self, suffix: str) -> Path:
        return self._layout.leases / f"{self.stem}{suffix}"


#: By cache folder and process. A lease is the process's, as its lock is: it outlives the store
#: that took it, because what was loaded may look into its folder at any time.
_HELD: dict[tuple[Path, int], _Held] = {}
atexit.register(let_go)


def _mine(layout: Layout) -> _Held:
    key = (layout.machine, os.getpid())
    return _HELD.get(key) or _HELD.setdefault(key, _Held(layout))


def _command() -> str:
    """What runs, without its arguments, which are nobody's affair."""
    script = Path(sys.argv[0])
    if script.name == "__main__.py":
        return script.parent.name
    return script.name if script.suffix or script.is_absolute() else "python"


@contextlib.contextmanager
def _alone(layout: Layout) -> Iterator[None]:
    """Be the one process that takes a lease, or looks at all of them and removes something."""
    place = layout.lock("leases")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(layout.root, error) from error
    with briefly(place):
        yield


def _locked(place: Path) -> BaseFileLock | None:
    """The lock of a lease, held; None where the file system has no locks."""
    lock = FileLock(place, thread_local=False, fallback_to_soft=False)
    try:
        lock.acquire(timeout=1)
    except OSError as error:
        if error.errno not in NO_FLOCK:
            raise
        return None
    return lock


def _is_live(place: Path) -> bool:
    """Whether the process of a lease runs; what a dead one left is deleted."""
    try:
        with FileLock(place, fallback_to_soft=False).acquire(timeout=0):
            _sweep(place)
    except Timeout:
        return True
    except OSError as error:
        return error.errno not in NO_FLOCK or _is_recent(place)
    return False


def _is_recent(place: Path) -> bool:
    with contextlib.suppress(OSError):
        return time.time() - place.with_suffix(".json").stat().st_mtime < _DAY
    return False


def _sweep(lock: Path) -> None:
    for place in (lock.with_suffix(".json"), lock):
        with contextlib.suppress(OSError):
            place.unlink()


def _read(place: Path, *, mine: bool) -> Lease | None:
    try:
        facts: dict[str, Any] = json.loads(place.read_text("utf-8"))
        names = frozenset(str(name) for name in facts["names"])
        return Lease(int(facts["process"]), str(facts["host"]), str(facts["command"]), names, mine)
    except FileNotFoundError:
        return None  # Its process has ended a moment ago.
    except (OSError, ValueError, KeyError, TypeError):
        return Lease(0, "this or another machine", "its list cannot be read", None, mine)
