"""What can go wrong between a server and its client: each fault alters a reply."""

import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from standin.log import Request
from standin.replies import Interruption, Reply, redirect


class Fault(Protocol):
    """A change to a reply, for the replies that it applies to."""

    def alter(self, reply: Reply) -> Reply | None:
        """The reply with the fault, or None where it does not apply."""


@dataclass(frozen=True)
class Status:
    """An error status, e.g. `Status(429, retry_after="2")`."""

    code: int
    retry_after: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)

    def alter(self, reply: Reply) -> Reply | None:
        wait = {"Retry-After": self.retry_after} if self.retry_after is not None else {}
        return Reply(self.code, {**wait, **self.headers}, b"a fault on demand\n")


@dataclass(frozen=True)
class Dropped:
    """The connection closes before the reply."""

    def alter(self, reply: Reply) -> Reply | None:
        return replace(reply, interruption=Interruption(at=None))


@dataclass(frozen=True)
class Hang:
    """The request is taken and answered after `seconds`, or never."""

    seconds: float | None = None

    def alter(self, reply: Reply) -> Reply | None:
        late = self.seconds is not None
        return replace(reply, interruption=Interruption(None, self.seconds, goes_on=late))


@dataclass(frozen=True)
class Truncated:
    """The connection closes after `at` bytes of this body; Content-Length promises it in full."""

    at: int

    def alter(self, reply: Reply) -> Reply | None:
        return replace(reply, interruption=Interruption(self.at)) if reply.is_file else None


@dataclass(frozen=True)
class Stalled:
    """Nothing comes after `at` bytes of this body, for `seconds` or until the site closes."""

    at: int
    seconds: float | None = None

    def alter(self, reply: Reply) -> Reply | None:
        late = self.seconds is not None
        pause = Interruption(self.at, self.seconds, goes_on=late)
        return replace(reply, interruption=pause) if reply.is_file else None


@dataclass(frozen=True)
class Slowed:
    """This body comes at so many bytes in a second, however many others do."""

    bytes_per_second: float

    def alter(self, reply: Reply) -> Reply | None:
        return replace(reply, pace=self.bytes_per_second) if reply.is_file else None


@dataclass(frozen=True)
class FlippedByte:
    """All bits of one byte are wrong, at offset `at` of the file; sizes and ETag are right."""

    at: int = 0

    def alter(self, reply: Reply) -> Reply | None:
        if not reply.is_file:
            return None
        data = bytearray(reply.body)
        data[self.at] ^= 0xFF
        return replace(reply, body=bytes(data))


@dataclass(frozen=True)
class ShortReply:
    """The file ends after `size` bytes, and Content-Length says so too."""

    size: int

    def alter(self, reply: Reply) -> Reply | None:
        return replace(reply, body=reply.body[: self.size]) if reply.is_file else None


@dataclass(frozen=True)
class WrongEtag:
    """ETag and X-Linked-ETag name another content."""

    etag: str = "0" * 64

    def alter(self, reply: Reply) -> Reply | None:
        wrong = dict.fromkeys(("ETag", "X-Linked-ETag"), f'"{self.etag}"')
        present = {name: value for name, value in wrong.items() if name in reply.headers}
        return reply.with_headers(present) if present else None


@dataclass(frozen=True)
class NoRange:
    """A Range header is answered with 200 and the whole file."""

    def alter(self, reply: Reply) -> Reply | None:
        return replace(reply, serves_ranges=False) if reply.is_file else None


@dataclass(frozen=True)
class RedirectTo:
    """A redirect to a given URL, with the headers of the reply it replaces."""

    url: str
    status: int = 302

    def alter(self, reply: Reply) -> Reply | None:
        return redirect(self.status, self.url, reply.headers)


@dataclass
class _Planned:
    fault: Fault
    path: str
    server: str
    method: str
    left: float

    def matches(self, request: Request) -> bool:
        return (
            self.left > 0
            and self.path in request.path
            and self.server in ("", request.server)
            and self.method in ("", request.method)
        )


class FaultPlan:
    """The faults still to come; each request that matches uses one up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._planned: list[_Planned] = []

    def add(self, fault: Fault, *, path: str, server: str, method: str, times: int | None) -> None:
        """Plan a fault for the next `times` matching requests (None: for ever)."""
        left = math.inf if times is None else times
        with self._lock:
            self._planned.append(_Planned(fault, path, server, method, left))

    def clear(self) -> None:
        """Forget all faults."""
        with self._lock:
            self._planned.clear()

    def apply(self, request: Request, reply: Reply) -> Reply:
        """The reply with the first fault that matches and applies."""
        with self._lock:
            for planned in self._planned:
                if planned.matches(request) and (altered := planned.fault.alter(reply)):
                    planned.left -= 1
                    return altered
        return reply
