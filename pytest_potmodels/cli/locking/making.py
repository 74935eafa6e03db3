"""Entries of a lock, from the models themselves: what is not in the cache yet is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli.locking.wanted import Wanted
from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.identifiers import REVISIONED
from pytest_potmodels.lockfile.entries import Key, Lock, LockedModel, locked, ref_of, with_names
from pytest_potmodels.lockfile.matching import check_promise
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.transfer import Deadline

Status = Literal["added", "kept", "updated", "removed"]


@dataclass(frozen=True)
class Change:
    """An entry, and what has become of it."""

    status: Status
    model: LockedModel
    #: The entry that it takes the place of, where the model has another name by now.
    instead_of: Key | None = None


class Making:
    """Makes entries with a pipeline that no lock binds."""

    def __init__(self, pipeline: Pipeline, known: Lock) -> None:
        self._pipeline = pipeline
        self._known = known
        self._historic: Mapping[str, str] = pipeline.catalog.historic

    def change(self, wanted: Wanted, *, anew: bool) -> Change:
        """The entry of a model: the known one unless it is to be resolved `anew`.

        Raises:
            PotModelsError: the model cannot be had, or is not what a run had.
        """
        known = self._entry(wanted)
        as_used = wanted.revision is not None or bool(wanted.digest)
        if known is not None and not anew and not as_used:
            check_promise(wanted.request, known)
            return Change("kept", replace(known, names=wanted.names))
        stored = self._renewed(wanted) if anew else self._had(wanted)
        made = locked(stored, wanted.request, wanted.names, self._historic)
        if known is None:
            return Change("added", made)
        return Change("kept" if _same(known, made) else "updated", made, known.key)

    def _entry(self, wanted: Wanted) -> LockedModel | None:
        """The entry of exactly this revision as it was written."""
        model_id, own = wanted.request.id, wanted.request.weights is not None
        for entry in self._known.models:
            named = entry.source == model_id.source and model_id.name in entry.ids
            same = entry.ref == ref_of(model_id) and (entry.weights is not None) == own
            if named and same:
                return entry
        return None

    def _had(self, wanted: Wanted) -> StoredModel:
        request = wanted.request
        if wanted.revision is not None:
            request = replace(request, id=replace(request.id, revision=wanted.revision))
        stored = self._pipeline.acquire(request)
        if wanted.digest and stored.digest != wanted.digest:
            raise DigestMismatchError(
                f"{wanted.name}: the run had files with the digest {wanted.digest}, found "
                f"{stored.digest} in {stored.path}.",
                expected=wanted.digest,
                found=stored.digest,
                remedy="run the tests again, or lock what is here: potmodels lock --from-tests",
            )
        return stored

    def _renewed(self, wanted: Wanted) -> StoredModel:
        """The model at what its branch is now; bytes that are here already are not fetched."""
        request = wanted.request
        if request.id.source not in REVISIONED or request.weights is not None:
            return self._pipeline.acquire(request, again=True)
        deadline = Deadline(self._pipeline.settings.timeout)
        revision = self._pipeline.resolve_anew(request, deadline).revision
        pinned = replace(request, id=replace(request.id, revision=revision))
        return self._pipeline.acquire(pinned)


def merged(current: Lock, changes: list[Change], *, alone: bool) -> list[LockedModel]:
    """What a lock file is to hold, given what it holds by now: others may have written to it.

    With `alone`, only what was wanted; else what others have locked stays, and keeps its names.
    """
    there = {model.key: model for model in current.models}
    result: dict[Key, LockedModel] = {} if alone else dict(there)
    for change in changes:
        if change.instead_of is not None and change.instead_of != change.model.key:
            result.pop(change.instead_of, None)
        entry = there.get(change.model.key)
        if entry is None or change.status == "updated":
            made = change.model
        else:
            made = replace(entry, names=change.model.names)
        previous = result.get(change.model.key)
        result[made.key] = with_names(made, previous) if previous is not None else made
    taken = {name: change.model.key for change in changes for name in change.model.names}
    return [
        replace(model, names=tuple(name for name in model.names if taken.get(name, key) == key))
        for key, model in result.items()
    ]


def _same(known: LockedModel, made: LockedModel) -> bool:
    """Whether both pin the same bytes of the same model."""
    return (known.key, known.revision, known.files) == (made.key, made.revision, made.files)
