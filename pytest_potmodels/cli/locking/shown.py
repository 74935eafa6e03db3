"""What `potmodels lock` has done or found, as tables and as JSON."""

from collections.abc import Sequence
from typing import Any

from pytest_potmodels.cli.locking.checking import Difference
from pytest_potmodels.cli.locking.making import Change
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.lockfile.entries import Lock, LockedModel
from pytest_potmodels.transfer.disk import in_units


def outcome(before: Lock, models: Sequence[LockedModel], changes: Sequence[Change]) -> list[Change]:
    """What has become of each entry that there was or is, in the order of the file."""
    statuses = {change.model.key: change.status for change in changes}
    after = {model.key: model for model in models}
    there = {model.key: model for model in before.models}
    done = [Change(statuses.get(key, "kept"), model) for key, model in after.items()]
    gone = [Change("removed", model) for key, model in there.items() if key not in after]
    return sorted([*done, *gone], key=lambda change: change.model.key)


def put_changes(changes: Sequence[Change]) -> None:
    """Write a row for each entry."""
    columns = ("model", "status", "revision", "files", "size")
    rows = tuple(_row(each) for each in changes)
    put_table(Table(columns, rows, frozenset({"files", "size"})))


def put_differences(found: Sequence[Difference]) -> None:
    """Write a row for each difference."""
    rows = tuple((each.name, each.status, each.why) for each in found)
    put_table(Table(("model", "status", "why"), rows))


def as_json(change: Change) -> dict[str, Any]:
    """An entry with what has become of it."""
    return {**_entry(change.model), "status": change.status}


def difference(found: Difference) -> dict[str, Any]:
    """A difference, with the entry that it is about."""
    about = _entry(found.entry) if found.entry else _nothing()
    return {**about, "name": found.name, "status": found.status, "why": found.why}


def _row(change: Change) -> tuple[str, ...]:
    model = change.model
    size = in_units(sum(file.size for file in model.files))
    ref = f"@{model.ref}" if model.ref and model.ref != model.revision else ""
    return (f"{model}{ref}", change.status, model.revision or "-", str(len(model.files)), size)


def _entry(model: LockedModel) -> dict[str, Any]:
    return {
        "name": model.id,
        "source": model.source,
        "names": list(model.names),
        "aliases": list(model.aliases),
        "ref": model.ref,
        "revision": model.revision,
        "architecture": model.architecture,
        "weights": model.weights,
        "license": model.license,
        "gated": model.gated,
        "files": [
            {"path": file.path, "size": file.size, "sha256": file.sha256} for file in model.files
        ],
    }


def _nothing() -> dict[str, Any]:
    return {"name": "", "source": None, "revision": None, "files": []}
