"""`prune`: what goes and why is shown first; then it goes."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import is_anybody_there, put_json, say
from pytest_potmodels.cli.exits import CHECK_FAILED
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.downloader import registry
from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.lockfile.pins import open_pins
from pytest_potmodels.settings.words import parse_size
from pytest_potmodels.store.eviction import DAY, Plan, Rules, Step, in_days, plan
from pytest_potmodels.store.removal import Done, Removal
from pytest_potmodels.store.survey import survey
from pytest_potmodels.transfer.disk import in_units

#: `--lock` without a file: the one in force.
_IN_FORCE = "the lock file in force"
_UNITS = {"h": DAY / 24, "d": DAY, "w": 7 * DAY}


@click.command(epilog="Example: potmodels prune --max-size 10GB --older-than 30d")
@click.option("--max-size", metavar="SIZE", help="Have the cache no larger than this (10GB).")
@click.option("--older-than", metavar="AGE", help="Remove what was not used for so long (30d).")
@click.option(
    "--lock",
    is_flag=False,
    flag_value=_IN_FORCE,
    metavar="[FILE]",
    help="Remove the models that potmodels.lock, or FILE, does not name.",
)
@click.option("--keep", multiple=True, metavar="NAME", help="Keep this model; repeatable.")
@click.option("--derived", is_flag=True, help="Look at derived folders only; alone: remove all.")
@click.option("--dry-run", is_flag=True, help="Show what would go, and remove nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@partial(common_options, without=("lock", "locked"))
def prune(
    invocation: Invocation, *, dry_run: bool, yes: bool, as_json: bool, **wanted: Any
) -> int:  # fmt: skip
    """Remove what is old, unused or too much; show it first.

    Asks on a terminal, and elsewhere takes --yes. What was used least recently goes first, and
    derived folders before models; what a running process uses stays. Without a rule: leftovers
    older than a day, and derived folders whose model is gone.
    """
    pruning = _Pruning(invocation, as_json=as_json)
    found = pruning.plan(_Wanted(**wanted))
    pruning.show(found)
    if dry_run or not found.remove:
        pruning.report([], found)
        return 0
    if not (yes or _agreed(found)):
        say("nothing was removed")
        return CHECK_FAILED
    return pruning.carry_out(found)


@dataclass(frozen=True)
class _Wanted:
    """The rules as they were typed."""

    max_size: str | None
    older_than: str | None
    lock: str | None
    keep: tuple[str, ...]
    derived: bool


class _Pruning:
    """Plans, shows and does."""

    def __init__(self, invocation: Invocation, *, as_json: bool) -> None:
        self._invocation = invocation
        self._store = invocation.store()
        self._derived = invocation.derived()
        self._as_json = as_json
        self._quiet = invocation.quiet

    def plan(self, wanted: _Wanted) -> Plan:
        if wanted.derived and wanted.lock is not None:
            raise UsageError(
                "--derived looks at no model, and --lock at models alone.",
                remedy="leave one of them out; what was made from a model goes with it",
            )
        rules = Rules(
            max_size=_size(wanted.max_size),
            older_than=_age(wanted.older_than),
            only=self._locked(wanted.lock),
            only_is=self._lock_file(wanted.lock).name if wanted.lock else "",
            keep=frozenset(self._kept(wanted.keep)),
            derived=wanted.derived,
        )
        items = survey(self._store, self._derived, heed="others")
        return plan(items, rules, now=time.time())

    def show(self, found: Plan) -> None:
        if self._as_json or self._quiet:
            return
        rows = [_row("remove", step) for step in found.remove]
        rows += [_row("keep", step) for step in found.keep if step.why]
        columns = ("", "model", "size", "last used", "why")
        put_table(Table(columns, tuple(rows), frozenset({"size"})))

    def carry_out(self, found: Plan) -> int:
        removal = Removal(self._store, self._derived, heed="others")
        done = list(removal.carry_out(found))
        for each in done:
            if each.kept:
                say(f"{each.step.item.title} stays: {each.kept}", label="warning")
        registry.refresh(self._invocation.settings, self._store)
        self.report(done, found)
        return StoreError.exit_code if any(each.failed for each in done) else 0

    def report(self, done: Sequence[Done], found: Plan) -> None:
        if self._as_json:
            put_json(_as_json(done, found))
        elif not self._quiet:
            say(_summary(done, found, self._store.layout.root))

    def _lock_file(self, lock: str | None) -> Path:
        in_force = self._invocation.settings.lock
        if lock == _IN_FORCE and in_force is None:
            raise UsageError(
                "There is no potmodels.lock here.", remedy="name it: potmodels prune --lock FILE"
            )
        return in_force if lock == _IN_FORCE and in_force else Path(lock or "")

    def _locked(self, lock: str | None) -> frozenset[str] | None:
        """The folders of the models that a lock file names."""
        if lock is None:
            return None
        path = self._lock_file(lock)
        pins = open_pins(path, only=False)
        if pins.lock is not None and not pins.lock.models:
            raise UsageError(
                f"{path} names no model: all of them would go.",
                remedy="if that is meant: potmodels clear",
            )
        entries = self._store.entries()
        return frozenset(each.path.name for each in entries if pins.entry_of(each) is not None)

    def _kept(self, names: Sequence[str]) -> list[str]:
        lookup = Lookup(self._store, self._invocation.catalog())
        return [lookup.stored(name).path.name for name in names]


def _size(text: str | None) -> int | None:
    try:
        return None if text is None else parse_size(text)
    except ValueError as error:
        raise UsageError(f"--max-size: {error}") from None


def _age(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([hdw])", text.strip())
    if match is None:
        raise UsageError(f"--older-than: {text!r} is no age; write 12h, 30d or 2w.")
    return float(match[1]) * _UNITS[match[2]]


def _row(action: str, step: Step) -> tuple[str, ...]:
    item = step.item
    return (action, item.title, in_units(item.size), _when(step), step.why)


def _when(step: Step) -> str:
    used = step.item.last_used
    return f"{in_days(max(0.0, time.time() - used))} ago" if used else "-"


def _summary(done: Sequence[Done], found: Plan, root: Path) -> str:
    if not found.remove:
        return f"nothing to remove in {root}, {in_units(found.size)}"
    if not done:
        return f"would free {in_units(found.freed)} of {in_units(found.size)} in {root}"
    gone = [each.step.item for each in done if not each.kept]
    freed = in_units(sum(item.size for item in gone))
    return f"removed {records.counted(len(gone), 'folder')}, {freed}, of {root}"


def _as_json(done: Sequence[Done], found: Plan) -> list[dict[str, Any]]:
    became = {each.step.item.path: each for each in done}
    return [
        *(_object(step, *_became(became.get(step.item.path), step)) for step in found.remove),
        *(_object(step, "keep", step.why) for step in found.keep),
    ]


def _became(done: Done | None, step: Step) -> tuple[str, str]:
    if done is None:
        return "would remove", step.why
    return ("kept", done.kept) if done.kept else ("removed", step.why)


def _object(step: Step, action: str, why: str) -> dict[str, Any]:
    item = step.item
    known = records.as_json(item.of) if isinstance(item.of, StoredModel) else None
    facts = {"action": action, "why": why, "type": item.what, "path": str(item.path)}
    used = {"size": item.size, "last_used": round(item.last_used, 3) or None}
    return {**(known or records.nothing(item.name)), **facts, **used}


def _agreed(found: Plan) -> bool:
    """Ask the person at the terminal.

    Raises:
        UsageError: there is none.
    """
    what = f"{records.counted(len(found.remove), 'folder')}, {in_units(found.freed)}"
    if not is_anybody_there():
        raise UsageError(
            f"This would remove {what}, and nobody is at a terminal to agree.",
            remedy="potmodels prune --yes; --dry-run removes nothing",
        )
    return click.confirm(f"Remove {what}?", err=True)
