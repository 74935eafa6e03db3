"""Several downloads at once, with one end: the first error or the deadline stops them all."""

from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import closing
from typing import TypeVar

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.transfer.client import Client
from pytest_potmodels.transfer.download import Download, Errand
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.part_file import PartFile
from pytest_potmodels.transfer.progress import ProgressMeter
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.size_limit import SizeLimit

T = TypeVar("T")

#: Between looks at the deadline; also keeps Ctrl-C alive on Windows, where waits are deaf.
_SLICE = 0.5


class Batch:
    """The downloads of one model's files."""

    def __init__(
        self, network: Network, scope: CancelScope, limit: SizeLimit, meter: ProgressMeter
    ) -> None:
        self._network = network
        self._scope = scope
        self._limit = limit
        self._meter = meter

    def run(
        self, parts: Mapping[RemoteFile, PartFile], model: str = ""
    ) -> dict[RemoteFile, StoredFile]:
        """Download all, the largest first; `model` is what progress events call them.

        Raises:
            PotModelsError: what the first download that failed says; the others are stopped.
        """
        order = sorted(parts, key=lambda file: file.size or file.size_hint or 0, reverse=True)
        jobs = max(1, min(self._network.policy.jobs, len(order)))
        with (
            closing(Client(self._network)) as client,
            ThreadPoolExecutor(jobs, thread_name_prefix="potmodels-transfer") as pool,
        ):
            errand = Errand(client, self._scope, self._limit, self._meter, model)
            running = {
                file: pool.submit(self._download(file, parts[file], errand).run) for file in order
            }
            try:
                settle(set(running.values()), self._scope)
            except BaseException:
                self._scope.stop()
                pool.shutdown(wait=True, cancel_futures=True)
                raise
            return {file: job.result() for file, job in running.items()}

    def _download(self, file: RemoteFile, part: PartFile, errand: Errand) -> Download:
        return Download(file, part, errand, self._network.patience(file.url, self._scope))


def settle(pending: set[Future[T]], scope: CancelScope) -> None:
    """Wait for all; the first error is raised, and at the deadline their connections are cut."""
    while pending:
        slice_ = max(0.05, min(_SLICE, scope.deadline.remaining()))
        done, pending = wait(pending, timeout=slice_, return_when=FIRST_EXCEPTION)
        for job in done:
            job.result()
        if scope.deadline.expired:
            scope.cut()  # each thread then finds out by itself, and says how far it had come
