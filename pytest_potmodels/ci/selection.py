"""Which models a job is about: all of a lock or some of it, names, a preset, a plan."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Literal

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.lockfile.entries import LockedModel
from pytest_potmodels.lockfile.pins import Pins

#: What the bytes are compared with: the lock file, or only the manifests that came with them.
Law = Literal["lock", "manifests"]


@dataclass(frozen=True)
class Model:
    """One model of a selection; `name` leads to it in the catalog."""

    name: str
    request: ModelRequest
    entry: LockedModel | None = None

    @property
    def digest(self) -> str:
        """One sha256 over the files, as they are locked; "" where they are not."""
        files = self.entry.files if self.entry else ()
        return digest_of_files({file.path: file.sha256 for file in files}) if files else ""

    @property
    def is_cached(self) -> bool:
        """Whether its files lie in the cache, rather than with their owner."""
        return self.request.id.source not in IN_PLACE

    @property
    def names(self) -> tuple[str, ...]:
        """All that it may be called."""
        locked = (*self.entry.names, *self.entry.ids, str(self.entry)) if self.entry else ()
        known = (self.name, self.request.asked, self.request.id.name, str(self.request.id))
        return tuple(dict.fromkeys((*known, *locked)))

    def __str__(self) -> str:
        return str(self.entry or self.request.id)


@dataclass(frozen=True)
class Selected:
    """The models of a job, and what their bytes are compared with."""

    models: tuple[Model, ...]
    law: Law
    lock: Path | None = None


def of_lock(pins: Pins, catalog: Catalog) -> Selected:
    """All that the lock file in force has."""
    entries = pins.lock.models if pins.lock else ()
    models = tuple(_of_entry(entry, pins, catalog) for entry in entries)
    return Selected(models, "lock", pins.lock.path if pins.lock else None)


def of_names(names: Iterable[str], catalog: Catalog) -> Selected:
    """The models of names, without a lock; mocks have no bytes to keep.

    Raises:
        UsageError: a name that nothing explains.
    """
    requests = ((name, catalog.request(name)) for name in dict.fromkeys(names))
    by_id = {
        (request.id, request.weights): Model(name, request)
        for name, request in requests
        if request.id.source != "mock"
    }
    return Selected(tuple(by_id.values()), "manifests")


def of_requests(requests: Sequence[ModelRequest], pins: Pins, catalog: Catalog) -> Selected:
    """The models of a plan: as they are locked, where there is a lock.

    Raises:
        NotLockedError: the lock does not have one of them.
    """
    if pins.lock is None:
        return of_names([_named(each, catalog) for each in requests], catalog)
    entries = {entry.key: entry for each in requests if (entry := _locked(each, pins))}
    models = tuple(_of_entry(entry, pins, catalog) for entry in entries.values())
    return Selected(models, "lock", pins.lock.path)


def chosen(selected: Selected, patterns: Sequence[str]) -> Selected:
    """Those that one of the names or globs fits; all where there is none.

    Raises:
        UnknownNameError: one that fits no model.
    """
    if not patterns:
        return selected
    for pattern in patterns:
        if not any(_fits(model, pattern) for model in selected.models):
            known = [name for model in selected.models for name in model.names]
            what = "model of the lock" if selected.law == "lock" else "model of this job"
            raise UnknownNameError(what, pattern, known, where="select")
    kept = (model for model in selected.models if any(_fits(model, each) for each in patterns))
    return Selected(tuple(kept), selected.law, selected.lock)


def nothing_said() -> UsageError:
    """The error for a job that does not say which models."""
    return UsageError(
        "Nothing says which models this job needs.",
        remedy="make a lock file: potmodels lock --from-tests; or name them: --models, --preset, "
        "or --select plan",
    )


def _fits(model: Model, pattern: str) -> bool:
    return any(pattern == name or fnmatchcase(name, pattern) for name in model.names)


def _of_entry(entry: LockedModel, pins: Pins, catalog: Catalog) -> Model:
    """The model of an entry, by a name that leads to it here, else by its id at its pin."""
    for name in entry.names:
        with suppress(UsageError):  # A conftest.py brought it, and there is none here.
            request = catalog.request(name)
            if pins.entry(request) is entry:
                return Model(name, request, entry)
    request = entry.request()
    return Model(str(request.id), request, entry)


def _locked(request: ModelRequest, pins: Pins) -> LockedModel | None:
    return pins.entry(pins.bound(request))


def _named(request: ModelRequest, catalog: Catalog) -> str:
    with suppress(UsageError):
        if catalog.request(request.asked).id == request.id:
            return request.asked
    return str(request.id)
