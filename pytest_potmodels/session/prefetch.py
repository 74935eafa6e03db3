"""Models come in the background, each in a thread of its own, while tests that need none run.

Threads are daemons: a name lookup or another process's lock cannot be cut short, and must not
keep pytest from ending.
"""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.errors import PotModelsError
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.session.attempts import Attempts
from pytest_potmodels.session.errand import Errand
from pytest_potmodels.session.plan import Files, files_of
from pytest_potmodels.transfer.bounded import StoppedError

_log = logging.getLogger(__name__)
#: Seconds that the end of a session waits for the threads. They end at once, unless something
#: holds them that cannot be told.
_FAREWELL = 3.0


class Prefetch:
    """The acquisitions of one process, by model.

    Args:
        pipeline: the way to the models.
        attempts: what the other processes of the session know.
        on_fetched: told of each folder that was fetched, from another thread.
    """

    def __init__(
        self, pipeline: Pipeline, attempts: Attempts, on_fetched: Callable[[Path], None]
    ) -> None:
        self._pipeline = pipeline
        self._attempts = attempts
        self._on_fetched = on_fetched
        self._stop = threading.Event()
        self._errands: list[Errand] = []
        self._threads: list[threading.Thread] = []
        self._futures: dict[Files, Future[StoredModel]] = {}

    def start(self, requests: Sequence[ModelRequest]) -> None:
        """Begin to have models; those that are under way already are not begun again."""
        fresh = [each for each in requests if files_of(each) not in self._futures]
        if not fresh or self._stop.is_set():
            return
        errand = Errand(self._pipeline, fresh)
        self._errands.append(errand)
        for request in fresh:
            future: Future[StoredModel] = Future()
            self._futures[files_of(request)] = future
            thread = threading.Thread(
                target=self._run,
                args=(request, errand, future),
                name=f"potmodels-prefetch-{request.asked}",
                daemon=True,
            )
            self._threads.append(thread)
            thread.start()

    def future(self, files: Files) -> Future[StoredModel] | None:
        """The outcome of a model that was begun, now or later."""
        return self._futures.get(files)

    def stop(self) -> None:
        """End what is under way; what has come in part is kept, and resumed by the next run."""
        self._stop.set()
        for errand in self._errands:
            errand.stop()
        end = time.monotonic() + _FAREWELL
        for thread in self._threads:
            thread.join(max(0.0, end - time.monotonic()))

    def _run(self, request: ModelRequest, errand: Errand, future: Future[StoredModel]) -> None:
        try:
            future.set_result(self._attempt(request, errand))
        except BaseException as error:  # noqa: BLE001 - handed to the waiting thread
            if not isinstance(error, (PotModelsError, StoppedError)):
                _log.warning("prefetching %s failed", request.id, exc_info=True)
            future.set_exception(error)
        finally:
            errand.leave(request)

    def _attempt(self, request: ModelRequest, errand: Errand) -> StoredModel:
        files = files_of(request)
        with self._attempts.alone(files, self._stop):
            known = self._attempts.failure(files)
            if known is not None:
                raise known
            try:
                stored = errand.bring(request)
            except PotModelsError as error:
                self._attempts.remember(files, error)
                raise
        if stored.fresh:
            self._on_fetched(stored.path)
        return stored
