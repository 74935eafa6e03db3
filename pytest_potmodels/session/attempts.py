"""One try per model and session: whoever wants it later hears how that went.

The workers of pytest-xdist share a folder. Without one, all is kept in this process.
"""

import contextlib
import copy
import hashlib
import json
import logging
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from pytest_potmodels import errors
from pytest_potmodels.errors import PotModelsError, Reason
from pytest_potmodels.session.plan import Files

_log = logging.getLogger(__name__)


class Attempts:
    """How the tries of a session went, and who is trying now."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._failures: dict[Files, PotModelsError] = {}
        self._lead: FileLock | None = None

    def take_lead(self, *, wait: bool) -> bool:
        """Be the one process that has all models; False where another one is.

        With `wait`, the lead is taken when that one is done, or has died.
        """
        if self._folder is None:
            return True
        lock = FileLock(self._folder / "lead.lock")
        try:
            lock.acquire(blocking=wait)
        except Timeout:
            return False
        except OSError as error:
            _log.debug("every worker for itself: %s", error)
            return False
        self._lead = lock
        return True

    def give_up_lead(self) -> None:
        """Let another process have the lead; called by the thread that took it."""
        if self._lead is not None:
            self._lead.release()
            self._lead = None

    @contextlib.contextmanager
    def alone(self, files: Files, stop: threading.Event) -> Iterator[None]:
        """Be the only one of the session who tries; who is stopped meanwhile tries in vain."""
        if self._folder is None:
            yield
            return
        with contextlib.ExitStack() as stack:
            lock = FileLock(self._path(self._folder, files, "lock"))
            try:
                stack.enter_context(lock.acquire(timeout=-1, cancel_check=stop.is_set))
            except (OSError, Timeout) as error:
                # The store has a lock of its own: this one only spares a second try.
                _log.debug("trying without the other workers: %s", error)
            yield

    def failure(self, files: Files) -> PotModelsError | None:
        """How an earlier try failed, in this process or another; a new object at each call."""
        if files in self._failures:
            return copy.copy(self._failures[files])
        if self._folder is None:
            return None
        try:
            return _read(self._path(self._folder, files, "json").read_text(encoding="utf-8"))
        except (OSError, ValueError, LookupError, TypeError):
            return None

    def remember(self, files: Files, error: PotModelsError) -> None:
        """Tell all who want this model why it cannot be had. The caller is `alone`."""
        self._failures[files] = error
        if self._folder is None:
            return
        target = self._path(self._folder, files, "json")
        fresh = target.with_suffix(f".{os.getpid()}-{threading.get_ident()}")
        try:
            fresh.write_text(_written(error), encoding="utf-8")
            fresh.replace(target)
        except (OSError, TypeError, ValueError) as trouble:
            _log.debug("%s stays in this process: %s", type(error).__name__, trouble)

    @staticmethod
    def _path(folder: Path, files: Files, suffix: str) -> Path:
        name = hashlib.sha256(repr(files).encode()).hexdigest()[:16]
        return folder / f"model-{name}.{suffix}"


def _written(error: PotModelsError) -> str:
    return json.dumps({"class": type(error).__name__, "facts": vars(error)})


def _read(text: str) -> PotModelsError:
    record: dict[str, Any] = json.loads(text)
    facts: dict[str, Any] = record["facts"]
    if "reason" in facts:
        facts["reason"] = Reason(facts["reason"])
    kind = _CLASSES[record["class"]]
    error = kind.__new__(kind, facts["message"])
    vars(error).update(facts)
    return error


_CLASSES = {
    name: each
    for name, each in vars(errors).items()
    if isinstance(each, type) and issubclass(each, PotModelsError)
}
