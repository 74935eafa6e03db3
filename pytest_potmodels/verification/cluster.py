"""An executor of a Dask cluster: the same jobs, on other machines, and no wait for nobody."""

import contextlib
import logging
import pkgutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, InvalidStateError
from typing import Any

from pytest_potmodels import __version__, extras
from pytest_potmodels.errors import (
    MissingPackageError,
    ModelConnectionError,
    ModelVerificationError,
    Reason,
    UsageError,
)

#: Seconds until a scheduler must have answered, and have a worker; and for which it may have none.
_PATIENCE = 15.0
_SCHEMES = ("tcp://", "tls://", "ws://", "wss://", "ucx://", "inproc://")
#: Between looks at the workers.
_SLICE = 1.0


@contextlib.contextmanager
def executor_at(address: str, *, patience: float = _PATIENCE) -> Iterator[Executor]:
    """The executor of the cluster whose scheduler is at this address.

    Its workers need this package, and use caches, settings and tokens of their own. What nobody is
    left to do ends in an error: Dask itself would wait for another worker for ever.

    Raises:
        UsageError: no address of a scheduler.
        MissingPackageError: distributed is not installed here, or this version of this package
            not on a worker.
        ModelConnectionError: nobody answers there, or the cluster has no worker.
    """
    if not address.startswith(_SCHEMES):
        raise UsageError(
            f"{address!r} is no address of a Dask scheduler.",
            remedy="write --scheduler tcp://HOST:8786",
        )
    with _quiet(), contextlib.closing(_client(address, patience)) as client:
        _check_workers(client)
        executor = _ClusterExecutor(client, address, patience)
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)


def _client(address: str, patience: float) -> Any:
    distributed = extras.require("distributed")
    client = None
    try:
        client = distributed.Client(address, timeout=patience, set_as_default=False)
        client.wait_for_workers(1, timeout=patience)
    except (OSError, TimeoutError, ValueError) as error:
        if client is not None:
            client.close()
        what = "has no worker" if client is not None else "does not answer"
        raise ModelConnectionError(
            f"The Dask scheduler at {address} {what}: {error}.",
            reason=Reason.OFFLINE,
            remedy="start it: dask scheduler; dask worker tcp://HOST:8786",
        ) from error
    return client


def _check_workers(client: Any) -> None:
    """Ask in words that every worker understands: what it cannot import would end its process.

    Raises:
        MissingPackageError: one has not this version of this package.
    """
    asked = f"{__package__.partition('.')[0]}:__version__"
    for worker, has in client.run(pkgutil.resolve_name, asked, on_error="return").items():
        if has != __version__:
            there = f"pytest-potmodels {has}" if isinstance(has, str) else "no pytest-potmodels"
            raise MissingPackageError(
                f"The worker at {worker} has {there}; here is {__version__}.",
                remedy=f"on the workers: pip install pytest-potmodels=={__version__}",
            )


class _ClusterExecutor(Executor):
    """Dask's executor, whose futures end also where the cluster itself has ended."""

    def __init__(self, client: Any, address: str, patience: float) -> None:
        self._client = client
        self._address = address
        self._patience = patience
        # Each result is of that moment: equal jobs are not one.
        self._dask = client.get_executor(pure=False, retries=0)
        self._pending: set[Future[Any]] = set()
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="potmodels-cluster", daemon=True).start()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have it done by a worker."""
        told: Future[Any] = Future()
        self._pending.add(told)
        done = self._dask.submit(fn, *args, **kwargs)
        told.add_done_callback(lambda _: done.cancel())
        done.add_done_callback(lambda _: self._pass_on(done, told))
        return told

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002 - the signature of Executor
        """Let go of the cluster; what is not done is not waited for, unless asked."""
        self._over.set()
        with contextlib.suppress(Exception):  # The cluster may be gone.
            self._dask.shutdown(wait=wait and not cancel_futures)

    def _pass_on(self, done: Future[Any], told: Future[Any]) -> None:
        self._pending.discard(told)
        try:
            error = done.exception()
        except CancelledError:
            self._fail(told, self._gone("let go of the job, or of the connection"))
            return
        if error is not None:
            self._fail(told, _in_words(error))
            return
        with contextlib.suppress(InvalidStateError):
            told.set_result(done.result())

    def _watch(self) -> None:
        """End all jobs when for a while nobody was there to do them."""
        since = None
        while not self._over.wait(_SLICE):
            if self._has_workers():
                since = None
                continue
            since = since or time.monotonic()
            if time.monotonic() - since > self._patience:
                for told in list(self._pending):
                    self._fail(told, self._gone("has no worker any more"))

    def _has_workers(self) -> bool:
        try:
            found = self._client.sync(
                self._client.scheduler.ncores, workers=None, callback_timeout=self._patience
            )
        # A scheduler that is gone fails in the way of the step that it was in.
        except Exception:  # noqa: BLE001
            return False
        return bool(found)

    def _gone(self, what: str) -> ModelConnectionError:
        return ModelConnectionError(
            f"The Dask scheduler at {self._address} {what}.",
            reason=Reason.OFFLINE,
            remedy="look at the logs of the scheduler and of its workers, and start them again",
        )

    def _fail(self, told: Future[Any], error: BaseException) -> None:
        with contextlib.suppress(InvalidStateError):  # It was cancelled, or told already.
            told.set_exception(error)


def _in_words(error: BaseException) -> BaseException:
    """What a job ended in, where Dask's own words say little."""
    if type(error).__name__ == "KilledWorker":
        last = getattr(getattr(error, "last_worker", None), "address", "unknown")
        return ModelVerificationError(
            f"each worker that began with it died, the last one at {last}",
            remedy="have the workers memory enough? their logs say more",
        )
    return error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Dask logs a traceback for what is told in a sentence here."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(before)
