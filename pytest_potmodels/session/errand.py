"""Models that are brought together: they share the connections, the time and the disk."""

import threading
from collections.abc import Sequence

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel, StoredModel
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.session.cached import is_absent
from pytest_potmodels.session.muster import Muster
from pytest_potmodels.session.plan import files_of
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.bounded import StoppedError


class Errand:
    """Brings some models, each in a thread of its caller's."""

    def __init__(self, pipeline: Pipeline, requests: Sequence[ModelRequest]) -> None:
        most = pipeline.settings.max_size
        together = min(len(requests), pipeline.settings.jobs)
        self._pipeline = _Background(pipeline, together)
        self._muster = Muster(map(files_of, requests), pipeline.store, most=most)
        self._turns = threading.Semaphore(together)
        self._stopped = threading.Event()

    def bring(self, request: ModelRequest) -> StoredModel:
        """Have a model; before its first byte moves, the sizes of all are known and fit the disk.

        Raises:
            PotModelsError: as of `Pipeline.acquire`.
            StoppedError: `stop` was called.
        """
        if is_absent(self._pipeline.store, request):
            with self._turns:
                self._check()
                resolved = self._pipeline.resolve_ahead(request)
            self._muster.meet(files_of(request), resolved)
        else:
            self.leave(request)
        with self._turns:
            self._check()
            return self._pipeline.acquire(request)

    def leave(self, request: ModelRequest) -> None:
        """Do not have the others wait for a model, if they still do."""
        self._muster.leave(files_of(request))

    def stop(self) -> None:
        """Have all threads end with StoppedError as soon as they can."""
        self._stopped.set()
        self._muster.dissolve()
        self._pipeline.transfer.stop()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise StoppedError


class _Background(Pipeline):
    """The same pipeline with a share of the connections, and with the time of all that move.

    N models at once get the N-th part of the bandwidth each: so they may take N times as long.
    """

    def __init__(self, pipeline: Pipeline, together: int) -> None:
        super().__init__(
            pipeline.settings.with_time_for(together),
            pipeline.catalog,
            pipeline.store,
            pipeline.transfer.share(together),
            pipeline.originals,
        )
        self._resolved: dict[ModelRequest, ResolvedModel] = {}

    def resolve_ahead(self, request: ModelRequest) -> ResolvedModel:
        """Ask the source now; `acquire` then need not ask again."""
        resolved = self.resolve(request, self._deadline(request))
        self._resolved[request] = resolved
        return resolved

    def resolve(self, request: ModelRequest, deadline: Deadline) -> ResolvedModel:
        """The answer of `resolve_ahead`, once; else ask the source."""
        return self._resolved.pop(request, None) or super().resolve(request, deadline)
