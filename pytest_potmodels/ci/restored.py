"""What a cache service put into the folder, looked at byte for byte before anything uses it.

A truncated archive leaves the files that it began with, and the service calls that a miss. So the
folder is looked at whatever was said of it: what is not exactly what was asked for is deleted.
"""

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.ci.selection import Model, Selected
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.lockfile.entries import LockedModel
from pytest_potmodels.lockfile.pins import Pins
from pytest_potmodels.store import disk, manifest
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.entries import is_of
from pytest_potmodels.store.layout import MANIFEST, entry_name


@dataclass(frozen=True)
class Broken:
    """What was wrong, as a clause; the model that is fetched again for it, "" where none is."""

    what: str
    model: str = ""


@dataclass(frozen=True)
class Restored:
    """What was found; `beyond` is gone by now, and of what is broken all that cannot be mended."""

    #: Seconds of hashing, by the name of each model that was there.
    seconds: Mapping[str, float]
    #: Names of models of which something was there and wrong.
    damaged: frozenset[str]
    broken: tuple[Broken, ...]
    #: Folders of models that nobody asked for.
    beyond: tuple[str, ...]
    #: Bytes that were hashed.
    hashed: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing was there."""
        return not (self.seconds or self.damaged or self.broken or self.beyond)


class Examination:
    """Looks at each folder among the models of one cache, and deletes what is not to be used."""

    def __init__(self, store: ModelStore, selected: Selected, pins: Pins) -> None:
        self._store = store
        self._selected = selected
        self._pins = pins
        self._seconds: dict[str, float] = {}
        self._damaged: set[str] = set()
        self._broken: list[Broken] = []
        self._beyond: list[str] = []
        self._hashed = 0

    def run(self) -> Restored:
        """Look at all of it.

        Raises:
            OSError: something that is wrong cannot be deleted.
        """
        models = self._store.layout.models
        for path in sorted(models.iterdir()) if models.is_dir() else ():
            self._look_at(path)
        return Restored(
            seconds=self._seconds,
            damaged=frozenset(self._damaged),
            broken=tuple(self._broken),
            beyond=tuple(self._beyond),
            hashed=self._hashed,
        )

    def _look_at(self, path: Path) -> None:
        try:
            stored = self._entry(path)
        except (DigestMismatchError, StoreError) as error:
            self._note(self._named_like(path), self._clause(error))
            disk.delete(path)
            return
        model = matching(stored, self._selected, self._pins)
        if model is None:
            self._beyond.append(path.name)
            disk.delete(path)
            return
        try:
            if model.entry is not None:
                self._pins.compare(model.entry, stored)
        except DigestMismatchError as error:
            self._note([model.name], self._clause(error))
            disk.delete(path)
            return
        self._hash(model, stored)

    def _entry(self, path: Path) -> StoredModel:
        """The entry in a folder, by its manifest.

        Raises:
            DigestMismatchError, StoreError: there is no whole one.
        """
        if path.is_symlink() or not path.is_dir():
            raise StoreError(f"{path.name} is no folder.")
        try:
            return manifest.read(path / MANIFEST)
        except FileNotFoundError:
            raise StoreError(f"{path.name} has no manifest.") from None

    def _named_like(self, path: Path) -> list[str]:
        plain = path.name.partition("@")[0]
        return [each.name for each in self._selected.models if entry_name(each.request.id) == plain]

    def _clause(self, error: DigestMismatchError | StoreError) -> str:
        """What an error says, as of the folder of the models."""
        return error.message.replace(f"{self._store.layout.models}{os.sep}", "").rstrip(".")

    def _hash(self, model: Model, stored: StoredModel) -> None:
        started = time.monotonic()
        for extra in strangers(stored):
            self._damaged.add(model.name)
            self._broken.append(Broken(f"{stored.path.name}/{extra} is not among its files"))
            disk.delete(stored.path / extra)
        for damage in self._store.verify(stored, whole=True):
            # To mend it moves the bad file aside, and what lies aside is not kept.
            self._note([model.name], f"{stored.id}: {damage}")
        self._hashed += stored.size
        self._seconds[model.name] = time.monotonic() - started

    def _note(self, names: Sequence[str], what: str) -> None:
        self._damaged |= set(names)
        self._broken.append(Broken(what, next(iter(names), "")))


def matching(stored: StoredModel, selected: Selected, pins: Pins) -> Model | None:
    """The model of a selection that a stored one is, as of its manifest."""
    entry = pins.entry_of(stored)
    for model in selected.models:
        if model.entry is not None:
            if entry is not None and _same(entry, model.entry):
                return model
        elif is_of(stored, model.request.id):
            return model
    return None


def _same(one: LockedModel, other: LockedModel) -> bool:
    """Whether both are of one model at one revision, under whatever branch or tag."""
    return (one.source, one.id, one.revision, one.weights) == (
        other.source, other.id, other.revision, other.weights,
    )  # fmt: skip


def strangers(stored: StoredModel) -> list[str]:
    """What lies in the folder of an entry beside its files, each by its outermost name."""
    known = {MANIFEST, *(file.path for file in stored.files)}
    folders = {str(parent) for path in known for parent in Path(path).parents}
    return [
        path.relative_to(stored.path).as_posix()
        for path in _walk(stored.path, stored.path, folders)
        if path.relative_to(stored.path).as_posix() not in known
    ]


def _walk(folder: Path, root: Path, folders: set[str]) -> Iterator[Path]:
    """All below a folder; into a folder only where a file of the model may lie."""
    for each in sorted(os.scandir(folder), key=lambda entry: entry.name):
        path = Path(each.path)
        if each.is_dir(follow_symlinks=False) and path.relative_to(root).as_posix() in folders:
            yield from _walk(path, root, folders)
        else:
            yield path
