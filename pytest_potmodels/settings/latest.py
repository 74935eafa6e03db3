"""One object per process, made anew when the settings have changed."""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.settings.values import Settings

T = TypeVar("T")


class Latest(Generic[T]):
    """Keeps what was made for the settings as they were read last.

    A notebook or a test sets POT_CACHE_DIR, goes to another folder or edits the configuration
    after the first call, and means it: so everything is read at each call.
    """

    def __init__(self, make: Callable[[Settings], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._kept: tuple[Settings, T] | None = None

    def get(self) -> T:
        """The object for the settings in force.

        Raises:
            UsageError: an option, variable or configuration file that cannot be meant.
        """
        settings = resolve_here({})
        with self._lock:
            if self._kept is None or self._kept[0] != settings:
                self._kept = (settings, self._make(settings))
            return self._kept[1]
