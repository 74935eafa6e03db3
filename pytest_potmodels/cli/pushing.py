"""`push`: models of the cache into the remote, for machines that ask it before the hub."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import click

from pytest_potmodels.addresses import displayed
from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.exits import Batch, Failure
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.lookup import Lookup, expanded
from pytest_potmodels.cli.options import common_options, json_option, setting_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.store.checking import mismatch
from pytest_potmodels.store.remote.layout import HELD
from pytest_potmodels.store.remote.pushing import How, Pushed, Pushing
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.disk import in_units
from pytest_potmodels.transfer.remote.opening import name_of


@dataclass(frozen=True)
class Outcome:
    """How it went with one model; `refused` is why it was not to be pushed."""

    asked: str
    stored: StoredModel | None = None
    pushed: Pushed | None = None
    refused: str = ""
    failure: Failure | None = None


@click.command(epilog="Example: potmodels push resnet18 bert --remote s3://bucket/models")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@click.option(
    "--preset", "presets", multiple=True, metavar="NAME",
    help="All models of a preset or collection; repeatable.",
)  # fmt: skip
@click.option("--all", "everything", is_flag=True, help="All models in the cache.")
@click.option("--gated", is_flag=True, help="Also models that the hub gives out on conditions.")
@click.option("--verify", "rehash", is_flag=True, help="Hash the objects that are there already.")
@click.option("--dry-run", is_flag=True, help="Say what would be pushed; write nothing.")
@setting_option("remote")
@json_option
@common_options
def push(
    invocation: Invocation, names: tuple[str, ...], presets: tuple[str, ...], *, as_json: bool,
    **chosen: bool,
) -> int:  # fmt: skip
    """Push models of the cache to the remote.

    Their bytes are verified first, and only objects that are not there are moved. What is used in
    place (file:, package:) and what runs code of its own (pytorch_hub:) is not pushed.
    """
    if not (names or presets or chosen["everything"]):
        raise UsageError("No model is named.", remedy="potmodels push resnet18, or push --all")
    jobs = invocation.settings.jobs
    how = How(dry_run=chosen["dry_run"], verify=chosen["rehash"], jobs=jobs)
    pushing = _Pushing(invocation, how, gated=chosen["gated"])
    outcomes = pushing.named([*pushing.groups(presets), *expanded(names)])
    outcomes += pushing.all() if chosen["everything"] else []
    if as_json:
        put_json([_as_json(each, how) for each in outcomes])
    elif not invocation.quiet:
        rows = tuple(_row(each, how) for each in outcomes)
        columns = ("model", "status", "revision", "objects", "size")
        put_table(Table(columns, rows, frozenset({"objects", "size"})))
    if not invocation.quiet:
        pushing.sum_up(outcomes)
    return pushing.batch.code


class _Pushing:
    """Models of the cache into one remote, one after the other."""

    def __init__(self, invocation: Invocation, how: How, *, gated: bool) -> None:
        if invocation.settings.remote is None:
            raise UsageError(
                "There is no remote to push to.",
                remedy="--remote s3://BUCKET/PREFIX, POT_REMOTE, or `remote` in the configuration",
            )
        self._remote = invocation.settings.remote
        self._timeout = invocation.settings.timeout
        self._store = invocation.store()
        self._catalog = invocation.catalog()
        self._watch = watcher(quiet=invocation.quiet)
        self._transfer = invocation.pipeline(self._watch).transfer
        self._how = how
        self._gated = gated
        self.batch = Batch(invocation.debug)

    def groups(self, presets: Sequence[str]) -> list[str]:
        return [name for preset in presets for name in self._catalog.group(preset)]

    def named(self, names: Sequence[str]) -> list[Outcome]:
        """Push what was named; what may not be pushed is an error."""
        lookup = Lookup(self._store, self._catalog)
        outcomes = []
        for name in dict.fromkeys(names):
            found = self.batch.attempt(name, partial(self._named, lookup, name))
            outcomes.append(found or Outcome(displayed(name), failure=self.batch.failures[name]))
        return outcomes

    def all(self) -> list[Outcome]:
        """Push what may be pushed, and list the rest with the reason."""
        outcomes = []
        for stored in self._store.entries():
            name = _pinned(stored)
            found = self.batch.attempt(name, partial(self._either, name, stored))
            outcomes.append(found or Outcome(name, stored, failure=self.batch.failures[name]))
        for folder in self._store.damaged_entries():
            self.batch.note(folder, self._store.damage_of(folder))
            outcomes.append(Outcome(folder, failure=self.batch.failures[folder]))
        return outcomes

    def sum_up(self, outcomes: Sequence[Outcome]) -> None:
        done = [each.pushed for each in outcomes if each.pushed is not None]
        moved = records.amount(sum(p.objects for p in done), "object", sum(p.size for p in done))
        verb = "would be pushed" if self._how.dry_run else "pushed"
        models = records.counted(len(done), "model")
        say(f"{models} in {name_of(self._remote)}; {moved} {verb}")

    def _named(self, lookup: Lookup, name: str) -> Outcome:
        stored = lookup.stored(name)
        if why := self._refusal(stored):
            if stored.gated and stored.id.source in HELD:
                raise UnavailableError(why, reason=Reason.GATED, remedy="--gated, if you may")
            raise UsageError(why)
        return self._pushed(displayed(name), stored)

    def _either(self, name: str, stored: StoredModel) -> Outcome:
        if why := self._refusal(stored):
            return Outcome(name, stored, refused=why)
        return self._pushed(name, stored)

    def _refusal(self, stored: StoredModel) -> str:
        if stored.in_place:
            return f"{stored.id} is used where it lies; a remote holds what was fetched."
        if stored.id.source not in HELD:
            return f"{stored.id} runs code, which comes from its own repository only."
        if stored.gated and not self._gated:
            return (
                f"{stored.id} is gated: its licence ({stored.license}) may not let you pass it on."
            )
        return ""

    def _pushed(self, name: str, stored: StoredModel) -> Outcome:
        self._store.lease(stored.path.name)
        for damage in self._store.verify(stored, whole=True):
            raise mismatch(stored, damage, remedy=f"potmodels verify --fix {_pinned(stored)}")
        with (
            self._watch.watching(name),
            self._transfer.remote(self._remote, Deadline(self._timeout)) as folder,
        ):
            return Outcome(name, stored, Pushing(folder, self._how).push(stored))


def _pinned(stored: StoredModel) -> str:
    return str(stored.id if stored.in_place else replace(stored.id, revision=stored.revision))


def _status(outcome: Outcome, how: How) -> str:
    if outcome.failure is not None:
        return f"failed: {outcome.failure.reason}"
    if outcome.pushed is None:
        return "refused"
    if outcome.pushed.is_nothing:
        return "there"
    return "to push" if how.dry_run else "pushed"


def _as_json(outcome: Outcome, how: How) -> dict[str, Any]:
    if outcome.failure is not None:
        return records.failed(outcome.asked, outcome.failure)
    known = records.as_json(outcome.stored) if outcome.stored else records.nothing(outcome.asked)
    done = outcome.pushed or Pushed()
    return {
        **known,
        "asked": outcome.asked,
        "status": _status(outcome, how),
        "reason": outcome.refused or None,
        "objects": done.objects,
        "bytes": done.size,
        "replaced": list(done.replaced),
        "refs": list(done.refs),
    }


def _row(outcome: Outcome, how: How) -> tuple[str, ...]:
    status = _status(outcome, how)
    if outcome.stored is None:
        return (outcome.asked, status, "-", "-", "-")
    if outcome.refused:
        status = f"{status}: {outcome.refused}"
    done = outcome.pushed or Pushed()
    size = in_units(done.size)
    return (str(outcome.stored.id), status, outcome.stored.revision or "-", str(done.objects), size)
