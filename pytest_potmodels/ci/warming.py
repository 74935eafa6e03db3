"""After the restore: every byte verified, what lacks fetched, and a row for each model."""

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.ci import folder, pruning
from pytest_potmodels.ci.event import Policy
from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.ci.restored import Broken, Examination, Restored
from pytest_potmodels.ci.selection import Law, Model, Selected
from pytest_potmodels.downloader.together import bring
from pytest_potmodels.errors import Reason, StoreError, UnavailableError
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.store.leases import let_go

State = Literal["hit", "fetched", "healed", "refused", "failed"]
CacheState = Literal["hit", "partial", "miss", "healed", "refused", "off"]


@dataclass(frozen=True)
class Warmed:
    """How it went with one model; seconds until it was there and verified."""

    name: str
    revision: str
    source: str
    bytes: int
    state: State
    seconds: float


@dataclass(frozen=True)
class Warming:
    """How it went with all of them."""

    rows: tuple[Warmed, ...]
    state: CacheState
    law: Law
    #: Whether every model is there.
    complete: bool
    #: Whether the folder holds what no entry of the service does.
    changed: bool
    #: Bytes of the models in the folder.
    held: int
    verified_bytes: int
    downloaded_bytes: int
    requests: int
    seconds: float
    #: What was wrong with what was restored, and what was done about it; a sentence each.
    broken: tuple[str, ...]
    #: What was removed because nobody asked for it.
    removed: tuple[str, ...]
    failures: Mapping[str, BaseException] = field(default_factory=dict)


def warm(pipeline: Pipeline, selected: Selected, inputs: Inputs, policy: Policy) -> Warming:
    """Have the selected models in the folder, each verified in this call, and nothing else.

    Raises:
        StoreError: the folder cannot be written.
    """
    started = time.monotonic()
    found, swept = _looked_at(pipeline, selected)
    brought = _Bringing(pipeline, found, inputs)
    rows = brought.rows(selected.models)
    let_go()  # What this process has leased is to be saved, not the leases.
    removed = pruning.prune(pipeline.store, brought.kept)
    traffic = pipeline.transfer.counter.snapshot()
    complete = not brought.failures
    held = sum(stored.size for stored in brought.kept.values())
    broken = (*_no_part(swept), *(_sentence(each, brought.failures) for each in found.broken))
    exact = not (found.is_empty or broken or found.beyond)
    hit = exact and all(row.state == "hit" for row in rows)
    return Warming(
        rows=rows,
        state=_state(
            policy,
            hit=hit,
            refused=held > inputs.max_size or brought.refused,
            healed=bool(broken),
            missed=found.is_empty,
        ),
        law=selected.law,
        complete=complete,
        changed=not hit and bool(brought.kept),
        held=held,
        verified_bytes=found.hashed,
        downloaded_bytes=traffic.bytes,
        requests=traffic.requests,
        seconds=time.monotonic() - started,
        broken=broken,
        # The job's own work leaves things, too, which came with no entry.
        removed=tuple(dict.fromkeys((*found.beyond, *folder.strange(removed)))),
        failures=brought.failures,
    )


def _looked_at(pipeline: Pipeline, selected: Selected) -> tuple[Restored, tuple[str, ...]]:
    layout = pipeline.store.layout
    pruning.require_alone(pipeline.store)
    try:
        # First what is no model: records of another machine would vouch for bytes nobody hashed.
        swept = folder.sweep(layout)
        return Examination(pipeline.store, selected, pipeline.pins).run(), swept
    except (OSError, RecursionError) as error:  # Folders in folders without end.
        raise StoreError(
            f"{layout.root} cannot be cleared of what is broken: {error!s:.500}.",
            remedy="have the job own its cache folder, or delete that folder",
        ) from error


def _no_part(swept: tuple[str, ...]) -> list[str]:
    return [f"{name} is not what a cache of models has; deleted" for name in folder.strange(swept)]


def _sentence(broken: Broken, failures: Mapping[str, BaseException]) -> str:
    mended = broken.model and broken.model not in failures
    return f"{broken.what}; deleted{', and fetched again' if mended else ''}"


def _state(policy: Policy, *, hit: bool, refused: bool, healed: bool, missed: bool) -> CacheState:
    if policy.off:
        return "off"
    if refused:
        return "refused"
    if healed:
        return "healed"
    if hit:
        return "hit"
    return "miss" if missed else "partial"


class _Bringing:
    """Models that are there or are fetched, several at once; one that fails does not stop them."""

    def __init__(self, pipeline: Pipeline, found: Restored, inputs: Inputs) -> None:
        self._pipeline = pipeline
        self._found = found
        self._gated = inputs.allow_gated or inputs.cache == "false"
        #: By folder: two refs may be one commit, which lies there once.
        self.kept: dict[str, StoredModel] = {}
        self.failures: dict[str, BaseException] = {}
        self.refused = False

    def rows(self, models: Sequence[Model]) -> tuple[Warmed, ...]:
        rows = {model.name: self._refuse(model) for model in models if self._is_barred(model)}
        wanted = {model.name: model for model in models if model.name not in rows}
        started = time.monotonic()
        with closing(bring(self._pipeline, tuple(wanted))) as ended:
            for name, future in ended:
                lasted = time.monotonic() - started
                rows[name] = self._row(wanted[name], future.exception() or future.result(), lasted)
        return tuple(rows[model.name] for model in models)

    def _row(self, model: Model, outcome: StoredModel | BaseException, lasted: float) -> Warmed:
        if isinstance(outcome, BaseException):
            self.failures[model.name] = outcome
            return _row(model, "failed", 0.0)
        if outcome.gated and not self._gated:  # Without a lock, nobody knew before.
            return self._refuse(model)
        if not outcome.in_place:
            self.kept[outcome.path.name] = outcome
        state: State = "fetched" if outcome.fresh else "hit"
        state = "healed" if model.name in self._found.damaged else state
        seconds = self._found.seconds.get(model.name, 0.0) + (lasted if state != "hit" else 0.0)
        return Warmed(
            name=str(model), revision=outcome.revision or "", source=outcome.id.source,
            bytes=outcome.size, state=state, seconds=seconds,
        )  # fmt: skip

    def _is_barred(self, model: Model) -> bool:
        return model.entry is not None and model.entry.gated and not self._gated

    def _refuse(self, model: Model) -> Warmed:
        self.refused = True
        self.failures[model.name] = UnavailableError(
            f"{model} is gated, and everybody who may open a pull request can read the cache.",
            reason=Reason.GATED,
            remedy="if that is all right: allow-gated: true; else leave it out by `select`, or "
            "have no cache: cache: false",
        )
        return _row(model, "refused", 0.0)


def _row(model: Model, state: State, seconds: float) -> Warmed:
    size = sum(file.size for file in model.entry.files) if model.entry else 0
    revision = model.entry.revision if model.entry else model.request.id.revision
    return Warmed(str(model), revision or "", model.request.id.source, size, state, seconds)
