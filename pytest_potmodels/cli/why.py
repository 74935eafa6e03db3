"""`why`: the chain from a name, or a test, to the bytes on disk."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import click

from pytest_potmodels.addresses import displayed
from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.catalog.explaining import Because, Explaining
from pytest_potmodels.cli import records, tracing
from pytest_potmodels.cli.console import put, put_json
from pytest_potmodels.cli.exits import Batch
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.locking.collected import plan_of_tests
from pytest_potmodels.cli.lookup import expanded
from pytest_potmodels.cli.options import common_options, json_option
from pytest_potmodels.cli.wording import as_typed_here
from pytest_potmodels.errors import UsageError
from pytest_potmodels.lockfile.pins import Pins, open_pins
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.transfer.disk import in_units

#: Settings that may lead to other bytes, or to none.
_DECISIVE = ("cache_dir", "remote", "mirror", "network", "hub_endpoint", "trust")


@dataclass(frozen=True)
class Chain:
    """What was asked, and each step on the way to the bytes."""

    asked: str
    steps: tuple[Because, ...]
    stored: StoredModel | None = None


@click.command(epilog="Example: potmodels why bert; potmodels why tests/test_x.py::test_y")
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@json_option
@common_options
def why(invocation: Invocation, names: tuple[str, ...], *, as_json: bool) -> int:
    """Say what led to the bytes of a model or of a test.

    A line for each step: mark, preset, alias, entry of the catalog, lock file, settings, folder,
    files and where they came from. NAME is a model, a preset or collection, or a test of pytest
    (path::name), which is collected and not run. Nothing is fetched.
    """
    batch = Batch(invocation.debug)
    asking = _Asking(invocation)
    found: list[Chain] = []
    for name in expanded(names):
        found += batch.attempt(name, partial(asking.chains, name)) or []
    if as_json:
        put_json([_as_json(chain) for chain in found])
        return batch.code
    if found:
        put("\n\n".join("\n".join(_lines(chain)) for chain in found))
    return batch.code


class _Asking:
    """Names against catalog, lock, settings and cache."""

    def __init__(self, invocation: Invocation) -> None:
        self._invocation = invocation
        self._settings = invocation.settings
        self._store = invocation.store()
        self._derived = invocation.derived()
        self._catalog = invocation.catalog()
        own, where = self._settings.own_tables, self._settings.where
        self._explaining = Explaining(self._catalog, own, where)

    def chains(self, name: str) -> list[Chain]:
        """One for a model, one for each model of a preset or of a test.

        Raises:
            UsageError: a name that nothing explains, or a test that cannot be collected.
        """
        if "::" in name:
            return list(self._of_test(name))
        if name in self._catalog.presets or name in self._catalog.collections:
            group = self._explaining.group(name)
            return [self._chain(name, model, (because,)) for because, model in group]
        return [self._chain(name, name, ())]

    def _of_test(self, node: str) -> Iterator[Chain]:
        quiet = self._invocation.quiet
        needs = json.loads(plan_of_tests([node], self._settings, quiet=quiet))
        for need in needs:
            steps = tuple(Because("test", said) for said in need["because"])
            try:
                yield self._chain(node, need["name"], steps)
            except UsageError:
                said = f"{need['name']!r} is {need['id']}, as a conftest.py says"
                yield Chain(node, (*steps, Because("means", said)))
        if not needs:
            raise UsageError(f"{node} asks for no model.", remedy="pytest --pot-plan shows all")

    def _chain(self, asked: str, name: str, before: Sequence[Because]) -> Chain:
        request = self._catalog.request(name)
        steps = [*before, *self._explaining.name(name), *self._of_settings(request)]
        pins = open_pins(self._settings.lock, only=self._settings.locked)
        steps += [self._of_lock(request, pins)]
        stored = self._store.find(pins.named(request).id)
        if stored is None:
            steps.append(Because("cache", f"it is not in {self._store.layout.root}"))
            return Chain(displayed(asked), tuple(steps))
        return Chain(displayed(asked), (*steps, *self._of_entry(stored)), stored)

    def _of_settings(self, request: ModelRequest) -> Iterator[Because]:
        if request.weights:
            yield Because("weights", "a URL of the user's own replaces the published ones")
        if where := self._settings.disabled_sources.get(request.id.source):
            yield Because("setting", f"the source {request.id.source} is disabled", where)
        yield from _of_decisive(self._settings)

    def _of_lock(self, request: ModelRequest, pins: Pins) -> Because:
        if pins.lock is None:
            return Because("lock", "there is no lock file")
        entry = pins.entry(request)
        if entry is None:
            said = "it is not locked" + (", and nothing beyond the lock may be" * pins.only)
            return Because("lock", said, str(pins.lock.path))
        said = f"pinned to {entry.revision or 'its files'}"
        return Because("lock", said, pins.lock.where(entry))

    def _of_entry(self, stored: StoredModel) -> Iterator[Because]:
        traced = tracing.trace(stored, self._store, self._derived)
        amount = records.amount(len(stored.files), "file", stored.size)
        yield Because("entry", amount, str(stored.path))
        refs = ", ".join(ref or "the default" for ref in stored.refs)
        asked_as = f", asked for as {refs}" if refs else ""
        yield Because("revision", f"{stored.revision or 'unpinned'}{asked_as}")
        yield Because("digest", f"sha256 {stored.digest}")
        for file in stored.files:
            arrival = traced.arrivals.get(file.path)
            how = arrival.how if arrival else "from"
            yield Because("file", f"{file.path}, {in_units(file.size)}: {how}", file.url)


def _of_decisive(settings: Settings) -> Iterator[Because]:
    """Each setting that is not the default and may lead elsewhere."""
    for said in settings.non_defaults():
        if said.partition("=")[0] in _DECISIVE:
            value, _, origin = said.rpartition(" (")
            yield Because("setting", as_typed_here(value), as_typed_here(origin.removesuffix(")")))


def _lines(chain: Chain) -> list[str]:
    """A step per line, what is said and where that is written; digests are to be copied."""
    steps = [Because("asked", repr(chain.asked)), *chain.steps]
    return [
        f"{step.what:<11}{step.said}" + (f"  ({step.where})" if step.where else "")
        for step in steps
    ]


def _as_json(chain: Chain) -> dict[str, Any]:
    stored = chain.stored
    known = records.as_json(stored) if stored else records.nothing(chain.asked)
    return {**known, "asked": chain.asked, "steps": [vars(step) for step in chain.steps]}
