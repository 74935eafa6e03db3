"""One file: ask, resume, verify; start from zero where what came cannot be right."""

import logging
from dataclasses import dataclass
from http import HTTPStatus

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelTooLargeError,
    Reason,
    UnavailableError,
)
from pytest_potmodels.transfer import disk, replies
from pytest_potmodels.transfer.client import Client, Reply
from pytest_potmodels.transfer.failures import (
    TransientError,
    WrongBytesError,
    bad_status,
    repeatable,
)
from pytest_potmodels.transfer.part_file import PartFile
from pytest_potmodels.transfer.progress import Phase, Progress, ProgressMeter
from pytest_potmodels.transfer.retry import Patience
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.size_limit import SizeLimit
from pytest_potmodels.transfer.urls import place, shown

_log = logging.getLogger(__name__)

#: Wrong bytes come from a bad cache on the way, or for good: that is worth two more downloads.
_MOST_REFETCHES = 2


@dataclass(frozen=True)
class Errand:
    """What the downloads of one model share."""

    client: Client
    scope: CancelScope
    limit: SizeLimit
    meter: ProgressMeter
    #: What the model is called in progress events.
    model: str = ""


class Download:
    """Brings one file to its place in the stage."""

    def __init__(
        self, file: RemoteFile, part: PartFile, errand: Errand, patience: Patience
    ) -> None:
        self._file = file
        self._part = part
        self._errand = errand
        self._patience = patience
        self._refetches = 0
        self._furthest = 0

    def run(self) -> StoredFile:
        """Return once the file is complete and verified.

        Raises:
            UnavailableError: it cannot be had; the message holds what was tried.
            DigestMismatchError: what comes is not what was promised, also after refetches.
            StoreError: the disk does not take it.
            StoppedError: nobody waits for it any more.
        """
        self._part.take_up()
        self._furthest = self._part.size
        self._report("started")
        while True:
            try:
                self._try()
                stored = self._part.finish()
            except TransientError as failure:
                self._wait(failure)
            except WrongBytesError as wrong:
                self._start_over(wrong)
            except ModelTooLargeError:
                self._part.discard()
                raise
            else:
                self._report("done")
                _log.debug(
                    "%s: complete, %d bytes, sha256 %s",
                    *(self._file.path, stored.size, stored.sha256),
                )
                return stored

    def _try(self) -> None:
        """One request, for the bytes that are missing."""
        self._errand.scope.check(self._what())
        if self._part.size == self._file.size:
            return  # A run was killed between the last byte and the rename.
        if not self._part.resumable:
            self._part.discard()
        with self._errand.client.get(self._file.url, self._headers(), self._errand.scope) as reply:
            self._check_status(reply)
            replies.contradict(self._file, reply.hub_replies)
            total = self._agree_on_span(reply)
            self._receive(reply, total)

    def _headers(self) -> dict[str, str]:
        headers = {}
        if self._part.size:
            headers["Range"] = f"bytes={self._part.size}-"
            if not self._file.digests:
                headers["If-Range"] = self._part.validator
        if self._refetches:
            headers["Cache-Control"] = "no-cache"
        return headers

    def _check_status(self, reply: Reply) -> None:
        if repeatable(reply.status):
            raise bad_status(reply.status, reply.headers, reply.url)
        if reply.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE and self._part.size:
            raise self._from_zero(reply, "refuses the range asked for")
        if reply.status not in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
            raise replies.refusal(reply.status, reply.headers, reply.url)
        if not self._file.digests and replies.is_page(reply.headers):
            raise replies.a_page(reply.url)
        if reply.headers.get("content-encoding", "identity").lower() != "identity":
            raise UnavailableError(
                f"{shown(reply.url)}: the server sends a compressed form nobody asked for.",
                reason=Reason.SERVER,
            )

    def _agree_on_span(self, reply: Reply) -> int | None:
        """Make sure that the body continues the part; return the whole file's size if stated."""
        span = replies.span(reply.status, reply.headers)
        if span is None or span.start not in (0, self._part.size):
            raise self._from_zero(reply, "answers with another range than asked for")
        if span.start == 0 and self._part.size:
            _log.debug("%s: the server does not resume, from zero", self._file.path)
            self._part.discard()
        if span.total is not None:
            if self._file.size not in (None, span.total):
                raise WrongBytesError(f"{self._file.size} bytes", f"{span.total} bytes")
            self._errand.limit.state(str(self._file.path), span.total)
        return span.total

    def _receive(self, reply: Reply, total: int | None) -> None:
        most = self._file.size if total is None else total
        if self._file.size is None and total is not None:
            self._part.make_room(total)
        with self._part.appending(replies.validator(reply.headers)) as stream:
            for chunk in reply.chunks:
                self._errand.scope.check(self._what())
                self._errand.limit.grow(str(self._file.path), self._part.size + len(chunk))
                if most is not None and self._part.size + len(chunk) > most:
                    raise WrongBytesError(f"{most} bytes", "more")
                self._part.append(stream, chunk)
                self._report("moving", total)
        if most is not None and self._part.size < most:
            why = f"{place(reply.url)} ended at {self._part.size} of {most} bytes"
            raise TransientError(why, reply.url)

    def _wait(self, failure: TransientError) -> None:
        # Only bytes that no try before had reached are progress: a server that always breaks off
        # at the same place would otherwise be asked for ever.
        progressed = self._part.size > self._furthest
        self._furthest = max(self._furthest, self._part.size)
        self._report("retrying")
        self._patience.endure(failure, progressed=progressed)

    def _start_over(self, wrong: WrongBytesError) -> None:
        self._part.discard()
        self._furthest = 0
        if self._refetches == _MOST_REFETCHES:
            raise self._mismatch(wrong) from None
        self._refetches += 1
        _log.debug("%s: %s; from zero", self._file.path, wrong)
        self._report("retrying")

    def _from_zero(self, reply: Reply, what: str) -> TransientError:
        self._part.discard()
        return TransientError(f"{place(reply.url)} {what}", reply.url)

    def _mismatch(self, wrong: WrongBytesError) -> DigestMismatchError:
        return DigestMismatchError(
            f"{self._file.path} from {shown(self._file.url)} is not what was promised: "
            f"expected {wrong.expected}, found {wrong.found}, in {self._refetches + 1} downloads.",
            expected=wrong.expected,
            found=wrong.found,
            remedy="name another source with --pot-mirror OLD=NEW, or ask whoever runs that one",
        )

    def _what(self) -> str:
        size = self._file.size
        all_of_it = f" of {disk.in_units(size)}" if size is not None else ""
        here = f"{disk.in_units(self._part.size)}{all_of_it}"
        return f"{self._file.path} from {shown(self._file.url)}: {here} are here"

    def _report(self, phase: Phase, total: int | None = None) -> None:
        whole = self._file.size if total is None else total
        path = str(self._file.path)
        event = Progress(path, self._part.size, whole, phase, self._errand.model)
        self._errand.meter.report(event)
