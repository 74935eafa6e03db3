"""Which models a lock is to hold: those of names, presets, tests, or a run that has been."""

import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args

from pytest_potmodels.artifacts import Kind, ModelRequest
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.cli.console import say
from pytest_potmodels.errors import UsageError
from pytest_potmodels.identifiers import REVISIONED, checked, parse
from pytest_potmodels.lockfile.entries import Lock, LockedModel, ref_of
from pytest_potmodels.reporting.report import SCHEMA
from pytest_potmodels.session.ledger import FAILED, MOCK, REAL, SKIPPED
from pytest_potmodels.store.plain_json import one_of, optional, typed

#: What reading a file of somebody else's may come to.
_NOT_OURS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
#: What each model of a plan has.
_PLANNED = {"asked", "id", "kind", "weights", "architecture"}
_NOT_HAD = frozenset({MOCK, SKIPPED, FAILED})


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
        return _together(_planned(each, catalog) for each in _plan_in(text))
    except _NOT_OURS as error:
        say(text.rstrip())
        raise UsageError(
            f"pytest's answer, which is above, holds no plan of ours: {error!r}.",
            remedy="have the tests print nothing on stdout while they are collected",
        ) from error


def of_report(path: Path, catalog: Catalog) -> list[Wanted]:
    """The real models of a report that `--pot-report` wrote, at the revisions that they had.

    Raises:
        UsageError: there is none, or it is no such report.
    """
    try:
        rows = _rows(json.loads(path.read_text(encoding="utf-8")))
        _tell_what_lacks(path, rows)
        return _together(_used(row, catalog) for row in rows if row["outcome"] == REAL)
    except OSError as error:
        remedy = f"write one: pytest --pot-report {path}"
        raise UsageError(f"There is no report {path}: {error.strerror}.", remedy=remedy) from error
    except _NOT_OURS as error:
        remedy = "name a file that `pytest --pot-report FILE` wrote"
        said = f"{path} is no report of a test session: {error!r:.300}."
        raise UsageError(said, remedy=remedy) from error


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
        own = (each.request.weights, each.request.sha256, each.revision, each.digest)
        key = (model_id.source, model_id.name, ref_of(model_id), *own)
        known = by_key.get(key, each)
        names = tuple(sorted({*known.names, *each.names}))
        by_key[key] = replace(known, names=names)
    return [by_key[key] for key in sorted(by_key, key=repr)]


def _plan_in(text: str) -> list[dict[str, Any]]:
    """The plan in what pytest wrote: with `-s` in its options, tests write beside it."""
    decoder = json.JSONDecoder()
    plans: list[list[dict[str, Any]]] = []
    for start in re.finditer(r"^\[", text, re.MULTILINE):
        with suppress(ValueError):
            found, _ = decoder.raw_decode(text, start.start())
            if all(isinstance(each, dict) and each.keys() >= _PLANNED for each in found):
                plans.append(found)
    if not plans:
        raise ValueError("no line begins a JSON array of models")
    return max(plans, key=len)  # Somebody else may write `[]`.


def _rows(report: Any) -> list[dict[str, Any]]:
    schema = typed(int, typed(dict, report)["schema"])
    if schema != SCHEMA:
        raise ValueError(f"schema {schema!r}, this version reads {SCHEMA}")
    return [typed(dict, row) for row in typed(list, report["rows"])]


def _tell_what_lacks(path: Path, rows: list[dict[str, Any]]) -> None:
    """What a run could not have, it cannot say the bytes of; nor may it look as if all were in."""
    had = {row["asked"] for row in rows if row["outcome"] == REAL}
    wanted = {typed(str, row["asked"]) for row in rows if row["outcome"] in _NOT_HAD}
    lacking = sorted(wanted - had)
    if lacking:
        say(f"{path}: the run did not have {', '.join(lacking)}: not locked", label="warning")


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
            request = replace(
                request, weights=ours.weights, sha256=ours.sha256, address=ours.address
            )
    return Wanted(request, tuple(need["asked"]))


def _used(row: dict[str, Any], catalog: Catalog) -> Wanted:
    asked, model, digest = (typed(str, row[key]) for key in ("asked", "model", "digest"))
    revision = optional(row["revision"]) or None
    try:
        request = catalog.request(asked)
    except UsageError:
        # A name that a conftest.py brought; what it meant is in the row.
        model_id = parse(model)
        if model_id is None:
            raise
        request = ModelRequest(model_id, asked, one_of(get_args(Kind), row["kind"]))
    if request.id.source not in REVISIONED or request.weights is not None:
        return Wanted(request, (asked,), None, digest)
    checked(replace(request.id, revision=revision))
    return Wanted(request, (asked,), revision, digest)
