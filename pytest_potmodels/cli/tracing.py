"""Where the bytes of a model are from, what became of them, and who uses them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.store import provenance, usage
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
from pytest_potmodels.store.eviction import in_days
from pytest_potmodels.store.layout import MANIFEST
from pytest_potmodels.store.provenance import Arrival
from pytest_potmodels.transfer.disk import in_units


@dataclass(frozen=True)
class Trace:
    """What this machine knows of an entry beside its manifest; times in seconds of the epoch."""

    #: None for a model that is used where it lies: it was not admitted.
    admitted: float | None
    last_used: float | None
    arrivals: Mapping[str, Arrival]
    derived: tuple[DerivedModel, ...]
    users: tuple[str, ...]


def trace(stored: StoredModel, store: ModelStore, derived: DerivedStore) -> Trace:
    """Look for traces of an entry."""
    name = stored.path.name
    made = tuple(derived.of(stored))
    if stored.in_place:
        here = {file.path: Arrival("used where it lies", 0.0) for file in stored.files}
        return Trace(None, None, here, made, ())
    arrivals = provenance.read(store.layout, name)
    users = tuple(str(each) for each in store.leases.look() if each.covers(name))
    times = [each.at for each in arrivals.values()]
    admitted = min(times) if times else (stored.path / MANIFEST).stat().st_mtime
    used = usage.last_used(store.layout, name, stored.path)
    return Trace(admitted, used, arrivals, made, users)


def facts(stored: StoredModel, traced: Trace) -> list[str]:
    """A model's record and traces, a fact per line."""
    made = [f"{each.key}, {in_units(each.size)}" for each in traced.derived]
    more = {
        "admitted": _date(traced.admitted),
        "last used": _since(traced.last_used),
        "in use by": ", ".join(traced.users),
        "derived": "; ".join(made),
    }
    came = {path: _came(arrival) for path, arrival in traced.arrivals.items()}
    return records.facts(stored, more, came)


def as_json(stored: StoredModel, traced: Trace) -> dict[str, Any]:
    """The same as plain JSON."""
    known = records.as_json(stored)
    for file in known["files"]:
        arrival = traced.arrivals.get(file["path"])
        file["came"] = arrival.how if arrival else None
        file["came_at"] = _rounded(arrival.at) if arrival else None
    return {
        **known,
        "admitted": _rounded(traced.admitted),
        "last_used": _rounded(traced.last_used),
        "in_use_by": list(traced.users),
        "derived": [{"key": each.key, "size": each.size} for each in traced.derived],
    }


def _came(arrival: Arrival) -> str:
    return f"{arrival.how}, {_date(arrival.at)}" if arrival.at else arrival.how


def _date(at: float | None) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at)) if at else ""


def _since(at: float | None) -> str:
    return f"{_date(at)} ({in_days(max(0.0, time.time() - at))} ago)" if at else ""


def _rounded(at: float | None) -> float | None:
    return round(at, 3) if at else None
