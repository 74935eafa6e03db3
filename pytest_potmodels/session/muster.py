"""Models that are fetched at the same time wait for each other once: is there room for all?"""

import copy
import shutil
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from pytest_potmodels.artifacts import ResolvedModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.session.plan import Files
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.transfer.disk import FREE_SPACE, in_units

#: Seconds that a model waits for the others' sizes; one server that hangs must not hold up all.
_PATIENCE = 15.0


class Muster:
    """Some models meet here, each with its files known and none of their bytes moved.

    Args:
        expected: those under way; each comes to `meet` or `leave`.
        store: where they are to go.
        most: bytes of the largest model that may be fetched; a larger one takes no room.
    """

    def __init__(self, expected: Iterable[Files], store: ModelStore, *, most: int) -> None:
        self._awaited = set(expected)
        self._store = store
        self._most = most
        self._changed = threading.Condition()
        self._end = time.monotonic() + _PATIENCE
        self._met: list[ResolvedModel] = []
        self._checked = False
        self._refusal: StoreError | None = None

    def meet(self, files: Files, resolved: ResolvedModel) -> None:
        """Return once all are here, or have taken too long, and there is room for all.

        Raises:
            StoreError: the disk has not as many bytes as the models take; the same for each.
        """
        with self._changed:
            self._met.append(resolved)
            self._no_longer_await(files)
            patience = max(0.0, self._end - time.monotonic())
            self._changed.wait_for(lambda: not self._awaited, timeout=patience)
            if not self._checked:  # Once: bytes that move meanwhile would count twice.
                self._checked = True
                self._refusal = self._check()
        if self._refusal is not None:
            raise copy.copy(self._refusal)

    def leave(self, files: Files) -> None:
        """Say that a model will not come, if it has not: it is there already, or cannot be had."""
        with self._changed:
            self._no_longer_await(files)

    def dissolve(self) -> None:
        """Wait for nobody any more."""
        with self._changed:
            self._awaited.clear()
            self._changed.notify_all()

    def _no_longer_await(self, files: Files) -> None:
        self._awaited.discard(files)
        self._changed.notify_all()

    def _check(self) -> StoreError | None:
        fetched = {content_of(model): model for model in self._met if model.size <= self._most}
        wanted = sum(map(self._store.missing_bytes, fetched.values()))
        folder, free = free_bytes(self._store.layout.root)
        if wanted <= free:
            return None
        names = ", ".join(sorted(str(model.id) for model in fetched.values()))
        return StoreError(
            f"{folder}: the models of this run take {in_units(wanted)}, {in_units(free)} are "
            f"free: {names}.",
            remedy=FREE_SPACE,
        )


def free_bytes(cache: Path) -> tuple[Path, int]:
    """The folder that exists, the cache or one above it, and what its disk has free."""
    folder = next(path for path in (cache, *cache.resolve().parents) if path.is_dir())
    return folder, shutil.disk_usage(folder).free


def content_of(model: ResolvedModel) -> tuple[str, ...]:
    """The same for two names of one model."""
    canonical = model.aliases[0] if model.aliases else model.id.name
    return (model.id.source, canonical, model.revision or "")
