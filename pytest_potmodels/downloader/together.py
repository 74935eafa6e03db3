"""Several models at once: one that fails is told, and the others go on."""

import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING, TypeAlias

from pytest_potmodels.pipeline import Pipeline

if TYPE_CHECKING:
    from pytest_potmodels.artifacts import StoredModel

#: The name that was asked for, and how it went.
Ended: TypeAlias = tuple[str, "Future[StoredModel]"]

#: Between looks at the threads; Ctrl-C is not heard in longer waits on Windows.
_SLICE = 0.5
#: Seconds that an interrupted caller waits for the threads.
_FAREWELL = 3.0


def bring(pipeline: Pipeline, names: Sequence[str], *, again: bool = False) -> Generator[Ended]:
    """Have the models of several names on disk; each is told as soon as it has ended.

    At most `jobs` at once, which move no more files at once than `jobs` together. Whoever stops
    listening stops what is still under way; what has come in part is kept.
    """
    if len(names) == 1:
        # No thread: an interruption is heard at once, and a cache hit costs nothing more.
        yield names[0], _ended(pipeline, names[0], again=again)
        return
    crew = _Crew(pipeline, names, again=again)
    try:
        yield from crew.results()
    finally:
        crew.stop()


class _Crew:
    """Threads that take one name after the other.

    They are daemons: a name lookup or another process's lock cannot be cut short, and must not
    keep the program from ending.
    """

    def __init__(self, pipeline: Pipeline, names: Sequence[str], *, again: bool) -> None:
        together = min(len(names), pipeline.settings.jobs)
        self._pipeline = _share(pipeline, max(1, together))
        self._again = again
        self._count = len(names)
        self._stopped = threading.Event()
        self._ended: SimpleQueue[Ended] = SimpleQueue()
        self._todo: SimpleQueue[str] = SimpleQueue()
        for name in names:
            self._todo.put(name)
        self._threads = [
            threading.Thread(target=self._work, name=f"potmodels-{number}", daemon=True)
            for number in range(together)
        ]

    def results(self) -> Generator[Ended]:
        for thread in self._threads:
            thread.start()
        for _ in range(self._count):
            yield self._next()

    def stop(self) -> None:
        self._stopped.set()
        self._pipeline.transfer.stop()
        end = time.monotonic() + _FAREWELL
        for thread in self._threads:
            if thread.ident is not None:
                thread.join(max(0.0, end - time.monotonic()))

    def _next(self) -> Ended:
        while True:
            try:
                return self._ended.get(timeout=_SLICE)
            except Empty:
                continue

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                name = self._todo.get_nowait()
            except Empty:
                return
            self._ended.put((name, self._ended_here(name)))

    def _ended_here(self, name: str) -> "Future[StoredModel]":
        try:
            return _ended(self._pipeline, name, again=self._again)
        except BaseException as error:  # noqa: BLE001 - or the caller would wait for this thread
            future: Future[StoredModel] = Future()
            future.set_exception(error)
            return future


def _ended(pipeline: Pipeline, name: str, *, again: bool) -> "Future[StoredModel]":
    future: Future[StoredModel] = Future()
    try:
        future.set_result(pipeline.acquire(pipeline.catalog.request(name), again=again))
    except Exception as error:  # noqa: BLE001 - handed to who asked, with its traceback
        future.set_exception(error)
    return future


def _share(pipeline: Pipeline, models: int) -> Pipeline:
    """The same pipeline for each of several models at once: with a share of the connections.

    N models at once get the N-th part of the bandwidth each: so they may take N times as long.
    """
    return Pipeline(
        pipeline.settings.with_time_for(models),
        pipeline.catalog,
        pipeline.store,
        pipeline.transfer.share(models),
        pipeline.originals,
    )
