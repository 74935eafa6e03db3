"""What was asked of the network: requests and bytes, per host."""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Traffic:
    """Requests sent and body bytes received."""

    requests: int = 0
    bytes: int = 0


@dataclass(frozen=True)
class TrafficCount:
    """The sums, and the same per host (`host` or `host:port`)."""

    requests: int
    bytes: int
    by_host: Mapping[str, Traffic]


class RequestCounter:
    """Counts from any thread; a call made by a hub client counts as one request."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[str] = Counter()
        self._bytes: Counter[str] = Counter()

    def request(self, host: str) -> None:
        """Count a request."""
        with self._lock:
            self._requests[host] += 1

    def received(self, host: str, count: int) -> None:
        """Count bytes of a body."""
        with self._lock:
            self._bytes[host] += count

    def snapshot(self) -> TrafficCount:
        """The counts so far."""
        with self._lock:
            hosts = {
                host: Traffic(self._requests[host], self._bytes[host]) for host in self._requests
            }
            return TrafficCount(self._requests.total(), self._bytes.total(), hosts)
