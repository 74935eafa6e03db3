"""The pipeline of a test session: it waits for what is under way, and remembers what failed."""

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, wait
from contextlib import AbstractContextManager, nullcontext
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.errors import NotPlannedError, PotModelsError, StoreError, UnavailableError
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.session.attempts import Attempts
from pytest_potmodels.session.cached import is_whole
from pytest_potmodels.session.plan import Files, files_of
from pytest_potmodels.session.prefetch import Prefetch
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.transfer.progress import Progress

#: Between looks at a thread's outcome; Ctrl-C is not heard in longer waits on Windows.
_SLICE = 0.5

Waiting = Callable[[], AbstractContextManager[None]]


class Lines(Protocol):
    """Told of the bytes as they come; shows them while somebody waits."""

    def __call__(self, event: Progress) -> None:
        """Take an event; called from other threads."""

    def shown(self) -> AbstractContextManager[None]:
        """Entered by who only waits."""

    def say(self, text: str) -> None:
        """Show a line of any other kind in that block."""


def _to_nobody(_text: str) -> None:
    """Show nothing."""


class SessionPipeline(Pipeline):
    """A pipeline whose models may be fetched before they are asked for.

    Args:
        pipeline: the steps themselves.
        attempts: what the processes of the session tell each other.
        waiting: entered while a caller waits for a model.
        say: shows a line in that block.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        attempts: Attempts,
        waiting: Waiting = nullcontext,
        say: Callable[[str], None] = _to_nobody,
    ) -> None:
        super().__init__(
            pipeline.settings,
            pipeline.catalog,
            pipeline.store,
            pipeline.transfer,
            pipeline.originals,
        )
        self.attempts = attempts
        self._waiting = waiting
        self._say = say
        #: Folders that this process fetched and has made no model of.
        self._unused: set[Path] = set()
        self._whole: set[Files] = set()
        self._prefetch = Prefetch(pipeline, self.attempts, on_fetched=self._unused.add)
        self._planned: set[Files] | None = None

    def acquire(self, request: ModelRequest, *, again: bool = False) -> StoredModel:
        """Have the model on disk, as `Pipeline.acquire` does, for a model to be made of it.

        Only the first such answer after a fetch is `fresh`: the files come to use once.

        Raises:
            UnavailableError: also where an earlier try in this session failed.
        """
        stored = self.have(request, again=again)
        self._unused.discard(stored.path)
        return stored

    def have(self, request: ModelRequest, *, again: bool = False) -> StoredModel:
        """Have the model on disk, for no use as yet; raises what `acquire` raises."""
        with self._waiting():
            if not again:
                self._hear(request)
            stored = super().acquire(request, again=again)
        if stored.fresh:
            self._unused.add(stored.path)
        return replace(stored, fresh=stored.path in self._unused)

    def beforehand(self) -> Pipeline:
        """The same models, had for no use as yet: who asks next gets what is fresh."""
        return _Beforehand(self)

    def say(self, text: str) -> None:
        """Show a line to who waits; called in the thread that only waits."""
        with self._waiting():
            self._say(text)

    def prefetch(self, requests: Sequence[ModelRequest]) -> None:
        """Begin to have models in the background, each once."""
        self._prefetch.start(requests)

    def ready(self, requests: Iterable[ModelRequest]) -> None:
        """Return when it is known of each model whether it can be had."""
        unknown = [each for each in requests if files_of(each) not in self._whole]
        if not unknown or self.settings.closed_by:
            return
        with self._waiting():
            self._prefetch.start([each for each in unknown if not self._is_whole(each)])
            for request in unknown:
                future = self._prefetch.future(files_of(request))
                if future is not None:
                    _await(future)

    def close_network(self, planned: Iterable[Files]) -> None:
        """Let no request through from now on; `planned` names all that was fetched before."""
        self._planned = set(planned)
        by = _words(self.settings)
        self.settings = replace(self.settings, closed_by=by)
        self.transfer.close_network(by)

    def stop(self) -> None:
        """End what is under way in the background."""
        self._prefetch.stop()
        self.attempts.give_up_lead()

    def _is_whole(self, request: ModelRequest) -> bool:
        files = files_of(request)
        try:
            if self._prefetch.future(files) is None and is_whole(self.store, request):
                self._whole.add(files)
        except (StoreError, OSError):
            self._whole.add(files)  # As good as any answer: the test's own try says what is wrong.
        return files in self._whole

    def _hear(self, request: ModelRequest) -> None:
        """Wait for the model if it is under way.

        Raises:
            PotModelsError: what an earlier try came to, as a new object.
        """
        future = self._prefetch.future(files_of(request))
        if future is None:
            return
        _await(future)
        # Whatever else was raised, the caller's own try will tell.
        if isinstance(error := future.exception(), PotModelsError):
            raise copy(error)

    def _not_cached(self, request: ModelRequest) -> UnavailableError:
        if self._planned is None or files_of(request) in self._planned:
            return super()._not_cached(request)
        return NotPlannedError(
            f"{request.id} is not in the cache {self.store.layout.root}, and the network is "
            f"closed by {self.settings.closed_by}: no selected test's marks or fixtures name it.",
            remedy=f'name it in a mark: pot_model("{request.asked}") or '
            f'requires_model("{request.asked}"); or beforehand: potmodels download {request.asked}',
        )


class _Beforehand(Pipeline):
    def __init__(self, session: SessionPipeline) -> None:
        super().__init__(
            session.settings,
            session.catalog,
            session.store,
            session.transfer,
            session.originals,
        )
        self._session = session

    def acquire(self, request: ModelRequest, *, again: bool = False) -> StoredModel:
        return self._session.have(request, again=again)


def open_session(
    settings: Settings, catalog: Catalog, folder: Path | None, lines: Lines
) -> SessionPipeline:
    """The pipeline of a test session; its processes share `folder`."""
    pipeline = open_pipeline(
        settings,
        session_dir=folder,
        limit_size=True,
        collector=settings.gc,
        catalog=catalog,
        on_progress=lines,
    )
    return SessionPipeline(pipeline, Attempts(folder), lines.shown, lines.say)


def _words(settings: Settings) -> str:
    """What closes the network once the tests run, as its user wrote it."""
    origin = settings.origins.get("network", "")
    written = origin.startswith("--") or origin.isupper()
    return f"{origin}=warm" if written else f"network=warm ({origin})"


def _await(future: Future[StoredModel]) -> None:
    while not future.done():
        wait([future], timeout=_SLICE)
