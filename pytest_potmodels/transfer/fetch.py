"""The network as the rest of the package sees it: fetch files, make a guarded call, count."""

import contextlib
import copy
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import httpx2

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.transfer import disk, places
from pytest_potmodels.transfer.batch import Batch
from pytest_potmodels.transfer.counter import RequestCounter
from pytest_potmodels.transfer.deadline import Deadline
from pytest_potmodels.transfer.guard import HubCall, guarded
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.part_file import PartFile
from pytest_potmodels.transfer.policy import TransferPolicy
from pytest_potmodels.transfer.progress import Progress, ProgressMeter
from pytest_potmodels.transfer.proxies import proxy_for
from pytest_potmodels.transfer.reading import Enough, read
from pytest_potmodels.transfer.remote.folder import RemoteFolder
from pytest_potmodels.transfer.scope import Scopes
from pytest_potmodels.transfer.size_limit import SizeLimit

T = TypeVar("T")


class Transfer:
    """All network traffic of one process, under one policy.

    Args:
        token: gives the hub's token when a request to the hub needs it.
        on_progress: called from worker threads, one call at a time.
    """

    def __init__(
        self,
        policy: TransferPolicy,
        *,
        token: Callable[[], str | None],
        on_progress: Callable[[Progress], None] | None = None,
    ) -> None:
        self.policy = policy
        self._network = Network.under(policy, token)
        self._meter = ProgressMeter(on_progress)
        self._scopes = Scopes()

    @property
    def counter(self) -> RequestCounter:
        """Requests and bytes so far."""
        return self._network.counter

    def share(self, models: int) -> "Transfer":
        """The same network for each of several models that move at once.

        Together they move no more files at once than `jobs`. `stop` stops this share alone.
        """
        part = copy.copy(self)
        part.policy = replace(self.policy, jobs=max(1, self.policy.jobs // models))
        part._network = replace(self._network, policy=part.policy)  # noqa: SLF001 - of this class
        part._scopes = Scopes()  # noqa: SLF001
        return part

    def at_large(self, *, verify_ssl: bool) -> "Transfer":
        """The same network for hosts that nobody vouches for: no redirect leads to plain http.

        Without `verify_ssl` certificates are not checked, where no credential is sent.
        """
        part = copy.copy(self)
        part.policy = replace(self.policy, https_only=True, verify_ssl=verify_ssl)
        part._network = replace(self._network, policy=part.policy)  # noqa: SLF001 - of this class
        return part

    def close_network(self, by: str) -> None:
        """Let no request through from now on; `by` names the setting that says so."""
        self._network.reachability.close(by)

    def stop(self) -> None:
        """End all calls under way, and all that come later, with StoppedError."""
        self._scopes.stop()

    def check(self, what: str, deadline: Deadline) -> None:
        """Pass while there is time and nobody called `stop`; `what` is under way.

        Raises:
            UnavailableError: TIMEOUT.
            StoppedError: `stop` was called.
        """
        with self._scopes.one(deadline) as scope:
            scope.check(what)

    def fetch_all(
        self,
        files: Sequence[RemoteFile],
        stage: Path,
        deadline: Deadline,
        *,
        model: str = "",
        beside: int = 0,
    ) -> tuple[StoredFile, ...]:
        """Bring files to `stage/<path>`, verified; what a killed run left there is used.

        The stage must belong to this content and to this process. Nothing is flushed to disk.
        `model` is what progress events call the model, `beside` the bytes of it that came before.

        Returns:
            One StoredFile per file, in the order of `files`.

        Raises:
            UnavailableError: a file cannot be had in time; ModelTooLargeError beyond the limit.
            DigestMismatchError: a file is not what was promised, also after two more downloads.
            StoreError: a file name leads out of the stage, or the disk does not take the files.
            StoppedError: `stop` was called.
        """
        self._network.reachability.ensure_open()
        limit = SizeLimit(files, self.policy.max_bytes, beside)
        places.check_distinct(file.path for file in files)
        with disk.guarded(stage):
            stage.mkdir(parents=True, exist_ok=True)
        parts = {file: PartFile(file, places.target(stage, file.path)) for file in files}
        stored = self._finished_before(parts, model)
        missing = {file: part for file, part in parts.items() if file not in stored}
        if missing:
            disk.check_room(stage, sum(part.missing() for part in missing.values()))
            with self._scopes.one(deadline) as scope:
                batch = Batch(self._network, scope, limit, self._meter)
                stored |= batch.run(missing, model)
        return tuple(stored[file] for file in files)

    def call(self, url: str, request: HubCall[T], deadline: Deadline) -> T:
        """Make a call of a hub client under the same deadline, retries, verdict and count.

        `url` is the site's address, for which a mirror may stand in. `request` gets the address
        to use, the token, and the seconds that one of its waits may take (what clients call
        `timeout`). The token is None where none may be sent; HfApi must be told so as
        `token=False`, because its None means the saved one. It runs in another thread, and is
        left behind after six such timeouts.

        Raises:
            UnavailableError: the network is closed, the host is not reachable, or 408, 429, 5xx,
                lost connections and timeouts went on until retries or time were spent.
            StoppedError: `stop` was called.
            Exception: whatever else `request` raises, unchanged.
        """
        with self._scopes.one(deadline) as scope:
            patience = self._network.patience(url, scope)
            return guarded(self._network, url, request, scope, patience)

    def status(self, url: str, deadline: Deadline) -> int:
        """What a site answers to a HEAD without a token, as a number; raises what `call` raises."""
        return self.call(url, _head, deadline)

    def read(
        self,
        url: str,
        deadline: Deadline,
        *,
        most: int,
        enough: Enough | None = None,
    ) -> bytes:
        """The body of a document of at most so many bytes; up to what is `enough` of it.

        Raises:
            UnavailableError: it cannot be had in time, is refused, or is longer.
            StoppedError: `stop` was called.
        """
        with self._scopes.one(deadline) as scope:
            patience = self._network.patience(url, scope)
            return read(self._network, url, scope, patience, most=most, enough=enough)

    @contextlib.contextmanager
    def remote(self, url: str, deadline: Deadline) -> Iterator[RemoteFolder]:
        """A folder that fsspec reaches, until the deadline or `stop`; no request is made yet."""
        with self._scopes.one(deadline) as scope:
            yield RemoteFolder(url, self._network, scope, self._meter)

    def _finished_before(
        self, parts: dict[RemoteFile, PartFile], model: str
    ) -> dict[RemoteFile, StoredFile]:
        found = {file: part.finished_before() for file, part in parts.items()}
        stored = {file: done for file, done in found.items() if done is not None}
        for file, done in stored.items():
            self._meter.report(Progress(str(file.path), done.size, done.size, "done", model))
        return stored


def _head(address: str, _token: str | None, seconds: float) -> int:
    transport = httpx2.HTTPTransport(proxy=proxy_for(address))
    with httpx2.Client(transport=transport, timeout=seconds) as client:
        return client.head(address).status_code
