"""`lock`: write down which models a project uses, at which revision, with which bytes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import click

from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.exits import CHECK_FAILED, Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.locking import file, shown
from pytest_potmodels.cli.locking.checking import differences
from pytest_potmodels.cli.locking.collected import needed_by_tests
from pytest_potmodels.cli.locking.making import Change, Making, merged
from pytest_potmodels.cli.locking.wanted import Wanted, of_lock, of_names, of_report
from pytest_potmodels.cli.lookup import expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.entries import Lock, LockedModel
from pytest_potmodels.lockfile.pins import Pins

_PRESET = "The models of a preset or collection; alone, they are the whole lock."
_FROM_TESTS = "What the tests need that `pytest [NAME...]` collects; they are the whole lock."
_FROM_RUN = "What a run really used, by the report that --pot-report wrote."
_UPDATE = "Resolve the revisions anew: of these models, or of all that are locked."
_CHECK = "Change nothing; exit code 1 if tests (or these models) and lock disagree."


@dataclass(frozen=True)
class Order:
    """What was asked for."""

    words: tuple[str, ...]
    presets: tuple[str, ...]
    report: str | None
    from_tests: bool
    update: bool
    check: bool

    @property
    def names(self) -> list[str]:
        """Models; behind --from-tests the words are pytest's."""
        return [] if self.from_tests else expanded(self.words)

    @property
    def alone(self) -> bool:
        """Whether the lock is to hold this and nothing else."""
        return self.from_tests or bool(self.presets and not self.words and not self.report)

    def reject_contradictions(self) -> None:
        """Refuse what cannot be meant together.

        Raises:
            UsageError: such options, or nothing to do.
        """
        if self.check and (self.update or self.report):
            raise UsageError("--check writes nothing: it takes no --update and no --from-run.")
        if self.update and self.report:
            raise UsageError("--from-run says which revisions it is to be: it takes no --update.")
        if self.from_tests and (self.presets or self.report):
            raise UsageError("--from-tests is the whole lock: it takes no --preset, no --from-run.")
        if not (self.words or self.presets or self.report or self.from_tests or self.update):
            raise UsageError(
                "Nothing is named that could be locked.",
                remedy="potmodels lock --from-tests, potmodels lock NAME..., or --update",
            )


@click.command(epilog="Example: potmodels lock --from-tests tests/")
@click.argument("words", nargs=-1, metavar="[NAME...]")
@click.option("--preset", "presets", multiple=True, metavar="NAME", help=_PRESET)
@click.option("--from-tests", is_flag=True, help=_FROM_TESTS)
@click.option("--from-run", "report", metavar="REPORT", help=_FROM_RUN)
@click.option("--update", is_flag=True, help=_UPDATE)
@click.option("--check", is_flag=True, help=_CHECK)
@json_option
@common_options
def lock(invocation: Invocation, *, as_json: bool, **asked: object) -> int:
    """Pin a project's models: which revisions, which bytes.

    They are written to potmodels.lock, which belongs under version control. Models that are not in
    the cache are fetched. What is locked already keeps its pin, unless --update says otherwise.
    Arguments of pytest that begin with - go behind a --.
    """
    order = Order(**asked)  # type: ignore[arg-type]  # click's own types
    if order.check and not (order.words or order.presets):
        order = replace(order, from_tests=True)
    order.reject_contradictions()
    locking = _Locking(invocation, order)
    return locking.check(as_json=as_json) if order.check else locking.make(as_json=as_json)


class _Locking:
    """One call of the command, over a pipeline that no lock binds."""

    def __init__(self, invocation: Invocation, order: Order) -> None:
        self._order = order
        self._quiet = invocation.quiet
        self._path = file.place(invocation.settings)
        self._watch = watcher(quiet=invocation.quiet)
        free = replace(invocation.settings.by_hand(), lock=None, locked=False)
        self._pipeline = replace(invocation, settings=free).pipeline(self._watch)
        self._batch = Batch(invocation.debug)

    def make(self, *, as_json: bool) -> int:
        known = file.current(self._path)
        changes = self._changes(known)
        if self._batch.failures:
            say(f"{self._path} is left as it was", label="error")
            return self._batch.code
        done: list[Change] = []

        def work(current: Lock) -> Sequence[LockedModel]:
            models = merged(current, changes, alone=self._order.alone)
            done[:] = shown.outcome(current, models, changes)
            return models

        changed = file.change(self._path, work)
        if as_json:
            put_json([shown.as_json(each) for each in done])
        elif not self._quiet:
            shown.put_changes(done)
        if not self._quiet:
            count = records.counted(sum(each.status != "removed" for each in done), "model")
            say(f"{count} in {self._path}{'' if changed else ', as before'}")
        return 0

    def check(self, *, as_json: bool) -> int:
        known = file.current(self._path)
        wanted = self._wanted(known)
        whole = self._order.alone
        found = differences(wanted, Pins(known), self._pipeline, whole=whole)
        if as_json:
            put_json([shown.difference(each) for each in found])
        elif not self._quiet:
            shown.put_differences(found)
        if not self._quiet:
            said = records.counted(len(found), "difference") if found else "no difference"
            count = records.counted(len(wanted), "model")
            say(f"{said} between {count} and {self._path}")
        return CHECK_FAILED if found else 0

    def _changes(self, known: Lock) -> list[Change]:
        making = Making(self._pipeline, known)
        changes = []
        for each in self._wanted(known):
            with self._watch.watching(each.name):
                work = partial(making.change, each, anew=self._order.update)
                change = self._batch.attempt(each.name, work)
            changes += [change] if change is not None else []
        return changes

    def _wanted(self, known: Lock) -> list[Wanted]:
        order, catalog = self._order, self._pipeline.catalog
        if order.from_tests:
            settings = self._pipeline.settings
            return needed_by_tests(order.words, settings, catalog, quiet=self._quiet)
        names = [name for preset in order.presets for name in catalog.group(preset)]
        wanted = of_names([*names, *order.names], catalog)
        if order.report is not None:
            wanted += of_report(Path(order.report), catalog)
        return wanted or of_lock(known)
