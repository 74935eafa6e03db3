"""The line at the top of a run: what is not the default, and what the lock holds."""

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.settings.values import Settings


class Header:
    """Shows each setting that is not the default, and how much is locked.

    Raises:
        pytest.UsageError: the lock file is named and not there, or it cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._locked = _locked(settings)

    def pytest_report_header(self) -> str | None:
        """Show each value that is not the default, and where it is from."""
        said = [*self.settings.non_defaults(), *self._locked]
        return f"potmodels: {', '.join(said)}" if said else None


def _locked(settings: Settings) -> list[str]:
    if settings.lock is None and not settings.locked:
        return []
    try:
        lock = open_pins(settings.lock, only=settings.locked).lock
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    count = len(lock.models) if lock else 0
    return [f"{count} model{'s' if count != 1 else ''} in the lock"]
