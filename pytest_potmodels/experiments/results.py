"""What is on record about one run, as values; `result_files` writes and reads them.

Two runs of one plan on one machine give the same bits.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pytest_potmodels.experiments.models import ModelPin

SCHEMA = 1
STATUSES = ("started", "finished", "failed", "interrupted")
#: Words for people and places: no figure depends on them.
LABELS = ("experiment_name", "output_dir", "description", "tags")

Metrics = Mapping[str, Any]
#: Where a figure stands in nested metrics.
Keys = tuple[str, ...]


@dataclass(frozen=True)
class Code:
    """The function that ran: its name, its file, and the sha256 of that file ("" if unknown)."""

    function: str
    file: str
    sha256: str


@dataclass(frozen=True)
class Repeat:
    """One call of the function.

    Attributes:
        index: counted from 0.
        seed: of this repeat; see `derived_seed`.
        metrics: what the function returned, in JSON's types.
        seconds: of the function alone.
        checksum_before: sha256 of the model's state dict as the function got it.
        checksum_after: the same when it returned.
    """

    index: int
    seed: int
    metrics: Metrics
    seconds: float
    checksum_before: str
    checksum_after: str

    @property
    def changed_model(self) -> bool:
        """Whether the function trained or otherwise changed the model."""
        return self.checksum_before != self.checksum_after


@dataclass(frozen=True)
class Failure:
    """Why a run has no result.

    Attributes:
        during: "setup" (the model could not be had) or "function".
        type: of the exception.
        message: of the exception.
        traceback: from the user's own first line on; "" where none is.
    """

    during: str
    type: str
    message: str
    traceback: str


@dataclass(frozen=True)
class Artifact:
    """A file that the function wrote, relative to the run's folder."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class ExperimentResult:
    """One run; `status` is "started" while it runs, and stays so if it was killed.

    Attributes:
        plan: sha256 over what is to be done: the configuration, the threads and the model.
        is_mock: whether the model had no real weights.
        environment: versions, machine, threads, git, variables.
        started: UTC, in ISO 8601; so is `finished`, "" before the end.
        seconds: "setup" of the models, "function" of all repeats, "total".
        path: the file of this result; not part of it.
    """

    run_id: str
    name: str
    status: str
    started: str
    config: Mapping[str, Any]
    code: Code
    plan: str = ""
    is_mock: bool = False
    models: tuple[ModelPin, ...] = ()
    environment: Mapping[str, Any] = field(default_factory=dict)
    repeats: tuple[Repeat, ...] = ()
    artifacts: tuple[Artifact, ...] = ()
    finished: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    path: Path | None = field(default=None, compare=False)

    @property
    def metrics(self) -> Metrics:
        """What the function returned in the first repeat; empty where it did not."""
        return self.repeats[0].metrics if self.repeats else {}

    def as_json(self) -> dict[str, Any]:
        """The record as the file has it, but for the file's own digest."""
        values = asdict(self)
        del values["path"]
        return {"schema": SCHEMA, **values}


def figures(metrics: Any, *at: str) -> Iterator[tuple[Keys, Any]]:
    """Each value in nested metrics, with where it stands; an empty table or list is a value."""
    if isinstance(metrics, Mapping) and (metrics or not at):
        for key in metrics:
            yield from figures(metrics[key], *at, key)
    elif isinstance(metrics, list) and metrics:
        for number, each in enumerate(metrics):
            yield from figures(each, *at, str(number))
    else:
        yield at, metrics


def plan_hash(config: Mapping[str, Any], models: Iterable[ModelPin], *, threads: int) -> str:
    """The sha256 over the configuration without its labels, torch's threads and the models."""
    acting = {key: value for key, value in config.items() if key not in LABELS}
    pins = {pin.kind: pin.identity() for pin in models}
    return sha256_of({"config": {**acting, "threads": threads}, "models": pins})


def sha256_of(value: Any) -> str:
    """The sha256 over a value of JSON, however it is laid out."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()
