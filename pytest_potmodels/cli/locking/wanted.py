"""Which models a lock is to hold: those of names, presets, tests, or a run that has been."""

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import REVISIONED, parse
from pytest_potmodels.lockfile.entries import Lock, LockedModel, ref_of
from pytest_potmodels.reporting.report import SCHEMA
from pytest_potmodels.session.ledger import REAL


@dataclass(frozen=True)
class Wanted:
    """A model, its revision as it was written, and the names by which it is asked for."""

    request: ModelRequest
    names: tuple[str, ...]
    #: What a run had of it.
    revision: str | None = None
    digest: str = ""

    @property
    def name(self) -> str:
        """One of its names, for messages."""
        return self.names[0] if self.names else str(self.request.id)


def of_names(names: Iterable[str], catalog: Catalog) -> list[Wanted]:
    """The models of names as people type them; mocks are left out.

    Raises:
        UsageError: a name that nothing explains.
    """
    requests = [catalog.request(name) for name in dict.fromkeys(names)]
    return _together(Wanted(each, (each.asked,)) for each in requests)


def of_lock(lock: Lock) -> list[Wanted]:
    """What a lock holds already, to be resolved anew."""
    return [Wanted(as_written(entry), entry.names) for entry in lock.models]


def of_plan(text: str, catalog: Catalog) -> list[Wanted]:
    """The models of `pytest --pot-plan=json`.

    Raises:
        UsageError: that is no plan.
    """
    try:
        return _together(_planned(each, catalog) for each in json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"pytest's answer is no plan of ours: {error!r}.") from error


def of_report(path: Path, catalog: Catalog) -> list[Wanted]:
    """The real models of a report that `--pot-report` wrote, at the revisions that they had.

    Raises:
        UsageError: there is none, or it is no such report.
    """
    try:
        rows = _rows(json.loads(path.read_text(encoding="utf-8")))
        return _together(_used(row, catalog) for row in rows if row["outcome"] == REAL)
    except OSError as error:
        remedy = f"write one: pytest --pot-report {path}"
        raise UsageError(f"There is no report {path}: {error.strerror}.", remedy=remedy) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(f"{path} is no report of a test session: {error!r}.") from error


def as_written(entry: LockedModel) -> ModelRequest:
    """The request that an entry was made of: at its branch or tag, not at its pin."""
    pinned = entry.request()
    return replace(pinned, id=replace(pinned.id, revision=entry.ref))


def _together(found: Iterable[Wanted]) -> list[Wanted]:
    """One for each model and revision, sorted, with all its names; mocks have no bytes to pin."""
    by_key: dict[tuple[Any, ...], Wanted] = {}
    for each in found:
        if each.request.id.source == "mock":
            continue
        model_id = each.request.id
        own = (each.request.weights, each.revision, each.digest)
        key = (model_id.source, model_id.name, ref_of(model_id), *own)
        known = by_key.get(key, each)
        names = tuple(sorted({*known.names, *each.names}))
        by_key[key] = replace(known, names=names)
    return [by_key[key] for key in sorted(by_key, key=repr)]


def _rows(report: dict[str, Any]) -> list[dict[str, Any]]:
    if report["schema"] != SCHEMA:
        raise ValueError(f"schema {report['schema']!r}, this version reads {SCHEMA}")
    rows: list[dict[str, Any]] = report["rows"]
    return rows


def _planned(need: dict[str, Any], catalog: Catalog) -> Wanted:
    model_id = parse(need["id"])
    if model_id is None:
        raise ValueError(need["id"])
    request = ModelRequest(
        id=model_id,
        asked=need["asked"][0],
        kind=need["kind"],
        weights=need["weights"],
        architecture=need["architecture"],
    )
    with suppress(UsageError):  # A name that a conftest.py brought is not known here.
        ours = catalog.request(request.asked)
        if ours.id == model_id:  # A plan holds no secrets, which an address may need.
            request = replace(request, weights=ours.weights, address=ours.address)
    return Wanted(request, tuple(need["asked"]))


def _used(row: dict[str, Any], catalog: Catalog) -> Wanted:
    try:
        request = catalog.request(row["asked"])
    except UsageError:
        # A name that a conftest.py brought; what it meant is in the row.
        model_id = parse(row["model"])
        if model_id is None:
            raise
        request = ModelRequest(model_id, row["asked"], row["kind"])
    moves = request.id.source in REVISIONED and request.weights is None
    revision = row["revision"] or None
    return Wanted(request, (row["asked"],), revision if moves else None, row["digest"])
