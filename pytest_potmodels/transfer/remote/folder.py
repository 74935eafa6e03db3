"""A remote as one model sees it: bounded in time, counted, and given up when it does not answer."""

import logging
from collections.abc import Callable, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import TypeVar

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import PotModelsError, Reason, UnavailableError
from pytest_potmodels.transfer.bounded import StoppedError, UnfinishedError, within
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.progress import Progress, ProgressMeter
from pytest_potmodels.transfer.remote.backends import Backend
from pytest_potmodels.transfer.remote.objects import Haul, Objects
from pytest_potmodels.transfer.remote.opening import name_of, open_backend, without_credentials
from pytest_potmodels.transfer.scope import CancelScope

_log = logging.getLogger(__name__)
T = TypeVar("T")

#: Seconds for one look or for one block; s3fs itself tries five times, 15 s each.
PATIENCE = 60.0
#: The part of a model's time that one of them may take: the rest is for the hub.
_SHARE = 0.25
_REMEDY = "check its address, the credentials and the connection; without it: POT_REMOTE=none"
_LONGEST = 300


class RemoteFolder:
    """The objects of a remote by name, under one network policy and until one deadline.

    Whatever its library raises becomes an UnavailableError; a remote that failed so is not asked
    again in this session, so that a server that hangs costs one wait and not one per model.
    """

    def __init__(
        self, url: str, network: Network, scope: CancelScope, meter: ProgressMeter
    ) -> None:
        self._url = url
        self._network = network
        self._scope = scope
        self._meter = meter
        #: What it is called in messages; without credentials.
        self.name = name_of(url)

    @property
    def is_open(self) -> bool:
        """Whether it may be asked: the network is open, and it was not given up before."""
        closed = self._network.reachability.is_closed
        return not closed and self._network.reachability.noted(self.name) is None

    def first_time(self, topic: str) -> bool:
        """Whether this is the first call with that topic in the session: for what is said once."""
        note = f"{self.name} {topic}"
        known = self._network.reachability.noted(note) is not None
        self._network.reachability.note(note, topic, Reason.SERVER)
        return not known

    def read(self, name: str, start: int, end: int) -> bytes | None:
        """Bytes of an object, fewer where it ends earlier; None if there is none.

        Raises:
            UnavailableError: the remote cannot be asked, or did not answer.
            MissingPackageError: a package for its scheme is not installed.
        """
        return self._ask(f"reading {name}", lambda: self._backend.read(name, start, end))

    def size(self, name: str) -> int | None:
        """How many bytes an object has; None if there is none; raises like `read`."""
        return self._ask(f"looking at {name}", lambda: self._backend.size(name))

    def fetch(
        self, names: Mapping[RemoteFile, str], stage: Path, *, model: str
    ) -> dict[RemoteFile, PotModelsError]:
        """Put files into a stage, each from the object of its name; see `Objects.bring`."""
        policy = self._network.policy
        haul = Haul(self._scope, self._meter, policy.jobs, policy.max_bytes, model)
        return Objects(self.name, self.read, haul).bring(names, stage)

    def write(self, name: str, data: bytes) -> None:
        """Put bytes under a name; raises like `read`."""
        self._put(f"writing {name}", lambda: self._backend.write(name, data))

    def upload(self, source: Path, name: str) -> None:
        """Put a file's bytes under a name; raises like `read`."""
        size = source.stat().st_size
        self._meter.report(Progress(source.name, 0, size, "started"))
        self._put(f"writing {name}", lambda: self._backend.upload(source, name))
        self._meter.report(Progress(source.name, size, size, "done"))

    @cached_property
    def _backend(self) -> Backend:
        return open_backend(self._url)

    def _ask(self, what: str, call: Callable[[], T]) -> T | None:
        try:
            return self._bounded(what, call, min(PATIENCE, _SHARE * self._scope.deadline.seconds))
        except FileNotFoundError:
            return None
        except PermissionError as error:
            # Who may not list a bucket is told so of each object that is not there.
            if self.first_time("refuses"):
                why = self._shown(error)
                _log.warning("the remote %s refuses %s: %s", self.name, what, why)
            return None

    def _put(self, what: str, call: Callable[[], None]) -> None:
        try:
            self._bounded(what, call, self._scope.deadline.seconds)
        except OSError as error:
            raise self._failed(what, self._shown(error), Reason.SERVER) from None

    def _bounded(self, what: str, call: Callable[[], T], patience: float) -> T:
        """Run a call in a thread that can be left behind; only it knows the library's errors."""
        self._check(what)
        seconds = min(patience, self._scope.deadline.remaining())
        try:
            return within(seconds, partial(self._counted, call), stop=self._scope.stopped)
        except UnfinishedError:
            # Where little time was left, the wait says nothing about the remote.
            failed = self._given_up if seconds == patience else self._failed
            raise failed(what, f"not done after {seconds:.3g} s", Reason.TIMEOUT) from None
        except (FileNotFoundError, PermissionError, PotModelsError, StoppedError):
            raise
        except Exception as error:  # noqa: BLE001 - each library of fsspec's has its own
            raise self._told(what, error) from None

    def _counted(self, call: Callable[[], T]) -> T:
        if self._backend.is_network:
            self._network.counter.request(self.name)
        result = call()
        if self._backend.is_network and isinstance(result, bytes):
            self._network.counter.received(self.name, len(result))
        return result

    def _check(self, what: str) -> None:
        self._network.reachability.ensure_open()
        self._scope.check(f"{what} of the remote {self.name}")
        if known := self._network.reachability.noted(self.name):
            raise self._failed(what, f"given up at {known.decided}: {known.why}", known.reason)

    def _told(self, what: str, error: Exception) -> UnavailableError:
        unconnected = "connect" in type(error).__name__.lower()
        reason = Reason.OFFLINE if unconnected else Reason.SERVER
        if isinstance(error, OSError) and not isinstance(error, TimeoutError) and not unconnected:
            return self._failed(what, self._shown(error), reason)  # of this object, as far as known
        return self._given_up(what, self._shown(error), reason)

    def _given_up(self, what: str, why: str, reason: Reason) -> UnavailableError:
        self._network.reachability.note(self.name, why, reason)
        return self._failed(what, why, reason)

    def _failed(self, what: str, why: str, reason: Reason) -> UnavailableError:
        return UnavailableError(
            f"The remote {self.name} failed at {what}: {why}.", reason=reason, remedy=_REMEDY
        )

    def _shown(self, error: Exception) -> str:
        said = " ".join(str(error).split())[:_LONGEST]
        return without_credentials(f"{type(error).__name__}: {said}".rstrip(". "), self._url)
