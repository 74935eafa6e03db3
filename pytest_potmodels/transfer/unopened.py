"""A Transfer that is made when the network is first needed: a model that is there needs none.

The HTTP client takes as long to import as all else that a warm cache costs.
"""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_potmodels.transfer.counter import RequestCounter
from pytest_potmodels.transfer.deadline import Deadline

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from pytest_potmodels.transfer.fetch import Transfer
    from pytest_potmodels.transfer.remote.folder import RemoteFolder


class Unopened:
    """What stands in for a Transfer; whatever is asked of it, the Transfer answers."""

    def __init__(self, make: "Callable[[], Transfer]") -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Transfer | None = None
        self._stopped = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transfer(), name)

    @property
    def counter(self) -> RequestCounter:
        """Requests and bytes so far."""
        with self._lock:
            return self._made.counter if self._made is not None else RequestCounter()

    def share(self, models: int) -> "Unopened":
        """The same network for each of several models that move at once."""
        return Unopened(lambda: self._transfer().share(models))

    def remote(self, url: str, deadline: Deadline) -> "AbstractContextManager[RemoteFolder]":
        """A folder that fsspec reaches; only a call needs the Transfer, not the way to it."""
        return self._transfer().remote(url, deadline)

    def stop(self) -> None:
        """End all calls under way, and all that come later, with StoppedError."""
        with self._lock:
            self._stopped = True
            if self._made is not None:
                self._made.stop()

    def _transfer(self) -> "Transfer":
        with self._lock:
            if self._made is None:
                self._made = self._make()
                if self._stopped:
                    self._made.stop()
            return self._made
