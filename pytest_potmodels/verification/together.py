"""Several jobs at once, on processes of this machine or on somebody's executor."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, wait
from typing import Any

from pytest_potmodels.errors import ModelVerificationError
from pytest_potmodels.verification import job as jobs
from pytest_potmodels.verification import processes
from pytest_potmodels.verification.job import Job

#: Between looks at the futures; Ctrl-C is not heard in longer waits on Windows.
_SLICE = 0.5

#: The job's place, and what it came to: plain values, or what kept it from coming to anything.
Ended = tuple[int, dict[str, Any] | BaseException]


def run(
    work: Sequence[Job],
    *,
    workers: int,
    executor: Executor | None = None,
    apart: bool = False,
    on_line: Callable[[str], None] | None = None,
) -> Iterator[Ended]:
    """Do all jobs; each is told as soon as it has ended.

    Args:
        work: what to do.
        workers: how many at once on this machine.
        executor: in place of processes of this machine; its end is its owner's.
        apart: on an executor, too, each job has a process of its own.
        on_line: told how far the processes of this machine are.
    """
    if executor is not None:
        do = processes.done_apart if apart else jobs.done
        yield from _ended([_submitted(executor, do, each) for each in work])
        return
    with processes.Processes(min(workers, len(work)) or 1, on_line) as here:
        yield from _ended([here.submit(each) for each in work])


def _ended(futures: "Sequence[Future[dict[str, Any]]]") -> Iterator[Ended]:
    places = {future: place for place, future in enumerate(futures)}
    waiting = set(futures)
    try:
        while waiting:
            finished, waiting = wait(waiting, timeout=_SLICE, return_when="FIRST_COMPLETED")
            for future in finished:
                yield places[future], _came(future)
    finally:
        for future in waiting:
            future.cancel()


def _submitted(
    executor: Executor, do: Callable[[Job], dict[str, Any]], job: Job
) -> "Future[dict[str, Any]]":
    """A pool that an earlier job broke takes no further one; that is this one's failure."""
    try:
        return executor.submit(do, job)
    except BrokenExecutor as error:
        broken: Future[dict[str, Any]] = Future()
        broken.set_exception(error)
        return broken


def _came(future: "Future[dict[str, Any]]") -> dict[str, Any] | BaseException:
    try:
        error = future.exception()
    except CancelledError:
        return ModelVerificationError("the executor cancelled it")
    if isinstance(error, BrokenExecutor):
        return ModelVerificationError(
            f"the executor's process ended before it had a result: {error}",
            remedy="is there memory enough for so many at once?",
        )
    return error or future.result()
