"""The lock file on disk: read, changed and replaced by one process at a time."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.lockfile.entries import Lock, LockedModel
from pytest_potmodels.lockfile.reading import read
from pytest_potmodels.lockfile.writing import as_text
from pytest_potmodels.settings import LOCK_FILE
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store import disk
from pytest_potmodels.store.locks import held

#: Seconds; nobody holds it while models are fetched.
_PATIENCE = 60.0


def place(settings: Settings) -> Path:
    """Where the lock file is, or is to be.

    Raises:
        UsageError: a setting says that there is to be none.
    """
    if settings.lock is None and "lock" in settings.origins:
        raise UsageError(
            f"{settings.origins['lock']} says that there is no lock file.",
            remedy="name one: --lock FILE",
        )
    return settings.lock or settings.root / LOCK_FILE


def current(path: Path) -> Lock:
    """What the file holds; nothing, where there is none.

    Raises:
        UsageError: it cannot be read.
    """
    return read(path) if path.exists() else Lock(path)


def change(path: Path, work: Callable[[Lock], Sequence[LockedModel]]) -> bool:
    """Replace what the file holds by what `work` makes of it; whether that is another text.

    Raises:
        StoreError: its folder does not take files.
    """
    path = path.resolve()  # Through a link, not in its place.
    with _alone(path):
        text = as_text(work(current(path)))
        if path.exists() and path.read_bytes() == text.encode():
            return False
        try:
            disk.write_whole(path, text)
        except OSError as error:
            raise _unwritable(path, str(error.strerror or error)) from error
    return True


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[None]:
    guard = path.with_name(f".{path.name}.guard")
    try:
        guard.touch()  # The lock's own errors are about a cache.
    except OSError as error:
        raise _unwritable(path, str(error.strerror or error)) from error
    with held(guard, timeout=_PATIENCE):
        yield
        # A waiter that holds the deleted file sees that it is deleted, and takes a new one. Windows
        # deletes no file that is open.
        with contextlib.suppress(OSError):
            guard.unlink()


def _unwritable(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} cannot be written: {why}.", remedy="name another: --lock FILE")
