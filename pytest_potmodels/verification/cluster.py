"""An executor of a Dask cluster: the same jobs, on other machines."""

import contextlib
from collections.abc import Iterator
from concurrent.futures import Executor

from pytest_potmodels import extras
from pytest_potmodels.errors import ModelConnectionError, Reason, UsageError

#: Seconds until a scheduler must have answered, and have a worker.
_PATIENCE = 15.0
_SCHEMES = ("tcp://", "tls://", "ws://", "wss://", "ucx://", "inproc://")


@contextlib.contextmanager
def executor_at(address: str, *, patience: float = _PATIENCE) -> Iterator[Executor]:
    """The executor of the cluster whose scheduler is at this address.

    Its workers need this package, and use caches, settings and tokens of their own.

    Raises:
        UsageError: no address of a scheduler.
        MissingPackageError: distributed is not installed.
        ModelConnectionError: nobody answers there, or the cluster has no worker.
    """
    if not address.startswith(_SCHEMES):
        raise UsageError(
            f"{address!r} is no address of a Dask scheduler.",
            remedy="write --scheduler tcp://HOST:8786",
        )
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
    try:
        # Each result is of that moment: equal jobs are not one.
        yield client.get_executor(pure=False, retries=0)
    finally:
        client.close()
