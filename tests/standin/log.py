"""What the servers were asked, and what they sent."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace


@dataclass(frozen=True)
class Request:
    """One request as a server saw it; `path` holds the query, header names are lower case."""

    server: str
    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    #: 0 until a status line goes out: a dropped or hanging request stays 0.
    status: int = 0
    #: Bytes of the body handed to the kernel, not those the client read.
    bytes_sent: int = 0


class RequestLog:
    """All requests to all servers in order of arrival; safe to read at any time.

    A request is entered when it arrives and counts its bytes before they go out, so a client that
    holds a reply finds it here in full.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[int, Request] = {}
        self._arrived = 0

    def __iter__(self) -> Iterator[Request]:
        with self._lock:
            return iter(list(self._entries.values()))

    def __len__(self) -> int:
        with self._lock:
            return len(self._entries)

    def select(
        self, path: str = "", *, server: str = "", method: str = "", status: int | None = None
    ) -> list[Request]:
        """The requests whose path contains `path`; what is left empty matches all."""
        return [
            request
            for request in self
            if path in request.path
            and server in ("", request.server)
            and method in ("", request.method)
            and status in (None, request.status)
        ]

    def gets(self, path: str = "") -> int:
        """How often a body whose path contains `path` was asked for, redirects not counted."""
        return sum(request.status // 100 != 3 for request in self.select(path, method="GET"))

    def bytes_sent(self, path: str = "") -> int:
        """Bytes of all bodies whose path contains `path`."""
        return sum(request.bytes_sent for request in self.select(path))

    def authorizations(self, server: str = "") -> list[str]:
        """The Authorization headers that a server (default: any) was sent, in order."""
        seen = (request.headers.get("authorization") for request in self.select(server=server))
        return [value for value in seen if value is not None]

    def lines(self) -> list[str]:
        """One line per request for an assertion's message: `hub HEAD 302 /a/b/resolve/...`."""
        return [f"{each.server} {each.method} {each.status} {each.path}" for each in self]

    def clear(self) -> None:
        """Forget what came so far."""
        with self._lock:
            self._entries.clear()

    def enter(self, request: Request) -> int:
        """Enter an arriving request; the number names it in `note`."""
        with self._lock:
            self._arrived += 1
            self._entries[self._arrived] = request
            return self._arrived

    def note(self, number: int, *, status: int | None = None, sent: int = 0) -> None:
        """Set the status of an entered request, or add to its bytes."""
        with self._lock:
            if entry := self._entries.get(number):
                self._entries[number] = replace(
                    entry,
                    status=entry.status if status is None else status,
                    bytes_sent=entry.bytes_sent + sent,
                )
