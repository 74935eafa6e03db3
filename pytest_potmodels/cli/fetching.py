"""`download` and `warm`: models into the cache, without loading them."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import click

from pytest_potmodels.addresses import displayed
from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.cli import records
from pytest_potmodels.cli.console import put_json, say
from pytest_potmodels.cli.describing import put_settings
from pytest_potmodels.cli.exits import Batch, Failure
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.locking.names import locked_names
from pytest_potmodels.cli.lookup import expanded
from pytest_potmodels.cli.options import common_options, json_option, setting_option
from pytest_potmodels.cli.progress import watcher
from pytest_potmodels.cli.tables import Table, put_table
from pytest_potmodels.downloader import registry, together
from pytest_potmodels.errors import UsageError
from pytest_potmodels.transfer.disk import in_units

_presets = click.option(
    "--preset",
    "presets",
    multiple=True,
    metavar="NAME",
    help="All models of a preset or collection (basic, vision, nlp, all); repeatable.",
)


@dataclass(frozen=True)
class Outcome:
    """How it went with one name."""

    asked: str
    status: str
    stored: StoredModel | None = None
    failure: Failure | None = None


@click.command(epilog="Example: potmodels download resnet18 huggingface:org/model --preset nlp")
@click.argument("names", nargs=-1, metavar="NAME...")
@_presets
@click.option("--force", is_flag=True, help="Ask for the newest revision and fetch it again.")
@click.option("--list-config", is_flag=True, help="As `potmodels config`; nothing is fetched.")
@setting_option("remote")
@json_option
@common_options
def download(
    invocation: Invocation, names: tuple[str, ...], presets: tuple[str, ...], *, force: bool,
    list_config: bool, as_json: bool,
) -> int:  # fmt: skip
    """Fetch models into the cache, verified.

    NAME is a name of the catalog or SOURCE:NAME[@REVISION]; `torchvision resnet18` works, too.
    A model that is there already costs no request. --jobs is the number of models, and of files
    in all, that move at once. `auto_download: false` of a config.yaml is not meant for this.
    """
    if list_config:
        put_settings(invocation.settings, as_json=as_json)
        return 0
    fetching = _Fetching(replace(invocation, settings=invocation.settings.by_hand()))
    wanted = [*fetching.groups(presets), *expanded(names)]
    if not wanted:
        raise UsageError(
            "No model is named.", remedy="potmodels download resnet18, or --preset basic"
        )
    return fetching.run(wanted, again=force, as_json=as_json)


auto = click.Command(
    "auto",
    callback=download.callback,
    params=download.params,
    help="The same as download.\n\nThe source of a name that does not say it is found out.",
    epilog="Example: potmodels auto resnet18",
)


@click.command(epilog="Example: potmodels warm --preset paper --offline")
@click.argument("names", nargs=-1, metavar="[NAME...]")
@_presets
@setting_option("remote")
@json_option
@common_options
def warm(
    invocation: Invocation, names: tuple[str, ...], presets: tuple[str, ...], *, as_json: bool
) -> int:
    """Have models in the cache; fetch only what is not there.

    Without a name: the models of the lock file; without one, those of the preset in force. Needs no
    PyTorch.
    """
    fetching = _Fetching(invocation)
    wanted = [*fetching.groups(presets), *expanded(names)] or fetching.locked()
    if not wanted and invocation.settings.lock is None:
        wanted = fetching.groups([invocation.settings.preset])
    return fetching.run(wanted, again=False, as_json=as_json)


class _Fetching:
    """Names through a pipeline, with progress; the report at the end."""

    def __init__(self, invocation: Invocation) -> None:
        self._settings = invocation.settings
        self._quiet = invocation.quiet
        self._watch = watcher(quiet=invocation.quiet)
        self._pipeline = invocation.pipeline(self._watch)
        self._batch = Batch(invocation.debug)

    def groups(self, presets: Sequence[str]) -> list[str]:
        return [name for preset in presets for name in self._pipeline.catalog.group(preset)]

    def locked(self) -> list[str]:
        return locked_names(self._pipeline.pins, self._pipeline.catalog)

    def run(self, wanted: Sequence[str], *, again: bool, as_json: bool) -> int:
        outcomes = self._fetch(tuple(dict.fromkeys(wanted)), again=again)
        if any(each.stored is not None and each.stored.fresh for each in outcomes):
            registry.refresh(self._settings, self._pipeline.store)
        if as_json:
            put_json([_as_json(outcome) for outcome in outcomes])
        elif not self._quiet:
            columns = ("model", "status", "revision", "files", "size")
            rows = tuple(_row(outcome) for outcome in outcomes)
            put_table(Table(columns, rows, frozenset({"files", "size"})))
        if not self._quiet:
            self._sum_up([each.stored for each in outcomes if each.stored is not None])
        return self._batch.code

    def _fetch(self, wanted: Sequence[str], *, again: bool) -> list[Outcome]:
        """How it went with each, in the order of the command line; a failure is told at once."""
        outcomes = {}
        title = displayed(wanted[0]) if len(wanted) == 1 else records.counted(len(wanted), "model")
        with self._watch.watching(title), closing(
            together.bring(self._pipeline, wanted, again=again)
        ) as ended:  # fmt: skip
            for asked, future in ended:
                outcomes[asked] = self._outcome(asked, self._batch.attempt(asked, future.result))
        return [outcomes[asked] for asked in wanted]

    def _outcome(self, asked: str, stored: StoredModel | None) -> Outcome:
        if stored is None:
            return Outcome(displayed(asked), "failed", failure=self._batch.failures[asked])
        return Outcome(displayed(asked), _status(stored), stored)

    def _sum_up(self, ready: Sequence[StoredModel]) -> None:
        traffic = self._pipeline.transfer.counter.snapshot()
        here = records.amount(len(ready), "model", records.total_size(ready))
        asked = records.counted(traffic.requests, "request")
        root = self._pipeline.store.layout.root
        say(f"{here} in {root}; {asked}, {in_units(traffic.bytes)} received")


def _status(stored: StoredModel) -> str:
    if not stored.files:
        return "built in"
    if stored.in_place:
        return "in place"
    if not stored.fresh:
        return "there"
    adopted = all(file.came.startswith("adopted") for file in stored.files)
    return "adopted" if adopted else "fetched"


def _as_json(outcome: Outcome) -> dict[str, object]:
    if outcome.failure is not None:
        return records.failed(outcome.asked, outcome.failure)
    described = records.as_json(outcome.stored) if outcome.stored else {}
    return {**described, "asked": outcome.asked, "status": outcome.status}


def _row(outcome: Outcome) -> tuple[str, ...]:
    if outcome.failure is not None:
        return (outcome.asked, f"failed: {outcome.failure.reason}", "-", "-", "-")
    stored = outcome.stored
    if stored is None or not stored.files:
        return (outcome.asked, outcome.status, "-", "0", in_units(0))
    size = in_units(stored.size)
    revision = stored.revision or "-"
    return (str(stored.id), outcome.status, revision, str(len(stored.files)), size)
