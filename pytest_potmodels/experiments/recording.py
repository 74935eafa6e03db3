"""The record of one run: on disk when it starts, at each step, and when it ends, always whole."""

import secrets
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pytest_potmodels.digests import hash_file
from pytest_potmodels.experiments.code_of import traceback_from
from pytest_potmodels.experiments.configuration import ExperimentConfig
from pytest_potmodels.experiments.models import ModelPin
from pytest_potmodels.experiments.result_files import write_result
from pytest_potmodels.experiments.results import (
    Artifact,
    Code,
    ExperimentResult,
    Failure,
    Repeat,
    plan_hash,
)


class Recording:
    """Writes a result as it comes to be; a killed run leaves it as "started"."""

    def __init__(self, config: ExperimentConfig, code: Code) -> None:
        started = datetime.now(UTC)
        # Two runs may start at once, and both have seeded Python's own generator.
        run_id = f"{started:%Y%m%dT%H%M%S.%fZ}-{secrets.token_hex(4)}"
        folder = Path(config.output_dir).expanduser() / config.experiment_name
        self._clock = time.perf_counter()
        self._setup_seconds = 0.0
        self.folder = folder / run_id
        self.result = ExperimentResult(
            run_id=run_id,
            name=config.experiment_name,
            status="started",
            started=_iso(started),
            config=config.as_json(),
            code=code,
            path=folder / f"{run_id}.json",
        )
        write_result(self.result)

    def models(self, pins: Iterable[ModelPin], environment: dict[str, Any]) -> None:
        """Note the models and the environment of the first repeat, and the plan they make."""
        models = tuple(pins)
        self.result = replace(
            self.result,
            models=models,
            is_mock=any(pin.is_mock for pin in models),
            environment=environment,
            plan=plan_hash(self.result.config, models, threads=environment["threads"]),
        )
        write_result(self.result)

    def took(self, seconds: float) -> None:
        """Add to the time that models took to come."""
        self._setup_seconds += seconds

    def repeated(self, repeat: Repeat) -> None:
        """Note one call of the function; a kill in the next one does not cost this one."""
        so_far = replace(self.result, repeats=(*self.result.repeats, repeat))
        write_result(so_far)
        self.result = so_far

    def finish(self) -> None:
        """Write the whole result."""
        self._end("finished")

    def fail(self, error: BaseException, *, during: str, file: str) -> None:
        """Write what there is, and why there is no more."""
        interrupted = isinstance(error, KeyboardInterrupt)
        trace = traceback_from(error, file) if during == "function" else ""
        failure = Failure(during, type(error).__name__, str(error), trace)
        self.result = replace(self.result, failure=failure)
        self._end("interrupted" if interrupted else "failed")

    def _end(self, status: str) -> None:
        self.result = replace(
            self.result,
            status=status,
            finished=_iso(datetime.now(UTC)),
            seconds={
                "setup": round(self._setup_seconds, 6),
                "function": round(sum(each.seconds for each in self.result.repeats), 6),
                "total": round(time.perf_counter() - self._clock, 6),
            },
            artifacts=tuple(self._artifacts()),
        )
        write_result(self.result)

    def _artifacts(self) -> Iterable[Artifact]:
        for path in sorted(self.folder.rglob("*")):
            if path.is_file():
                hashed = hash_file(path)
                name = path.relative_to(self.folder).as_posix()
                yield Artifact(name, hashed.size, hashed.sha256)


def _iso(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
