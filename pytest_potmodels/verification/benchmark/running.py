"""A benchmark: have every file first, then measure one model after the other."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pytest_potmodels.verification import together
from pytest_potmodels.verification.benchmark import machine
from pytest_potmodels.verification.benchmark.how import BACKENDS, How
from pytest_potmodels.verification.benchmark.row import SCHEMA, Row, facts_of, of_problem
from pytest_potmodels.verification.job import Job
from pytest_potmodels.verification.outcome import Problem, Verification, problem_of
from pytest_potmodels.verification.verifier import ModelFileVerifier
from pytest_potmodels.verification.wanted import Wanted

_WHERE = ("machine", "machine_key", "versions")


def benchmarked(
    verifier: ModelFileVerifier,
    wanted: Sequence[Wanted],
    how: How,
    *,
    backends: Sequence[str] = BACKENDS,
    executor: Executor | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Iterator[Row]:
    """A row per model and framework, as they come; of a file that cannot be had, one row.

    On this machine one is measured at a time, since two would slow each other down. An executor
    decides itself how many its workers do at once.
    """
    run = uuid.uuid4().hex[:12]
    # Of what came to nothing on an executor nobody knows on which machine it was.
    nowhere: dict[str, Any] = {"machine": {}} if executor else {}
    there = []
    for found in verifier.batch_verify_models(wanted, executor=executor):
        if found.ok:
            there += [(found, backend) for backend in backends]
        else:
            yield _row(run, found, "", nowhere or _here(), found.problem)
    jobs = [_job(verifier, found, backend, how) for found, backend in there]
    measured = together.run(jobs, workers=1, executor=executor, apart=True, on_line=on_line)
    for place, came in measured:
        found, backend = there[place]
        if isinstance(came, BaseException):
            yield _row(run, found, backend, nowhere or _here(), problem_of(came))
            continue
        problem = came.pop("problem", None)
        yield _row(run, found, backend, came, Problem(**problem) if problem else None)


def _job(verifier: ModelFileVerifier, found: Verification, backend: str, how: How) -> Job:
    what = {"wanted": asdict(found.wanted), "backend": backend, "how": asdict(how)}
    return verifier.job("measure", what)


def _row(
    run: str, found: Verification, backend: str, figures: dict[str, Any], problem: Problem | None
) -> Row:
    facts = {**facts_of(found), **of_problem(problem)}
    return Row(
        schema=SCHEMA,
        run=run,
        time=datetime.now(UTC).isoformat(timespec="milliseconds"),
        backend=backend,
        status="failed" if problem else "ok",
        **facts,
        **figures,
    )


def _here() -> dict[str, Any]:
    where = machine.description()
    values = (where, machine.key_of(where), machine.versions())
    return dict(zip(_WHERE, values, strict=True))
