"""Do the tests and the lock agree? Found out without a request."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.cli.locking.wanted import Wanted
from pytest_potmodels.errors import DigestMismatchError, UnavailableError, UsageError
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.lockfile.entries import LockedModel
from pytest_potmodels.lockfile.matching import check_promise
from pytest_potmodels.lockfile.pins import Pins
from pytest_potmodels.pipeline import Pipeline


@dataclass(frozen=True)
class Difference:
    """What tests and lock do not agree about."""

    name: str
    status: Literal["missing", "unused", "changed"]
    why: str
    entry: LockedModel | None = None


def differences(
    wanted: Sequence[Wanted], pins: Pins, pipeline: Pipeline, *, whole: bool
) -> list[Difference]:
    """What a lock lacks or has otherwise; with `whole`, also what it has and nobody wants.

    `pipeline` is one that no lock binds.
    """
    found: list[Difference] = []
    used: set[LockedModel] = set()
    for each in wanted:
        entry = pins.entry(each.request)
        if entry is None:
            found.append(_absent(each, pins))
        else:
            used.add(entry)
            found += _other_bytes(each, entry, pins, pipeline)
    if whole and pins.lock is not None:
        unused = [model for model in pins.lock.models if model not in used]
        found += [_unused(model) for model in unused]
    return sorted(found, key=lambda each: (each.status, each.name))


def _absent(wanted: Wanted, pins: Pins) -> Difference:
    try:
        pins.bound(wanted.request)
    except UsageError as error:  # Another revision of it is there.
        return Difference(wanted.name, "changed", error.message)
    except UnavailableError:
        pass
    return Difference(wanted.name, "missing", f"{wanted.request.id} is not in the lock")


def _other_bytes(
    wanted: Wanted, entry: LockedModel, pins: Pins, pipeline: Pipeline
) -> list[Difference]:
    try:
        check_promise(wanted.request, entry)
        stored = _stored(pins.named(wanted.request), pipeline)
        if stored is not None:
            pins.compare(entry, stored)
    except (DigestMismatchError, UnavailableError) as error:
        return [Difference(wanted.name, "changed", error.message, entry)]
    return []


def _stored(request: ModelRequest, pipeline: Pipeline) -> StoredModel | None:
    if request.id.source in IN_PLACE:  # Here, whether or not anybody has locked it.
        return pipeline.acquire(request)
    return pipeline.store.find(request.id)


def _unused(entry: LockedModel) -> Difference:
    name = entry.names[0] if entry.names else str(entry)
    return Difference(name, "unused", f"{entry} is in the lock, and nothing needs it", entry)
