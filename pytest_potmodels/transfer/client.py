"""One GET, redirects followed by hand: mirrors, tokens and counts apply to each hop.

The transport layer of the HTTP library is used without its client: no cookies, no netrc, no
proxies of its own choice, and no log lines with signed URLs.
"""

import contextlib
import logging
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from urllib.parse import urljoin

import httpx2

from pytest_potmodels import __version__, extras
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.transfer.bounded import UnfinishedError, within
from pytest_potmodels.transfer.failures import TransientError, as_transient, timed_out
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.proxies import proxy_for
from pytest_potmodels.transfer.replies import is_hub_reply
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.urls import is_loopback, origin, place, shown

_log = logging.getLogger(__name__)

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 10
#: Connecting to several addresses, a handshake and slow headers each may take a read timeout.
_OPENING_TIMEOUTS = 3
#: A redirect's body up to here is read, which keeps its connection; a longer one costs it.
_MOST_DRAINED = 1 << 16

_HEADERS = {
    "User-Agent": f"pytest-potmodels/{__version__}",
    "Accept": "*/*",
    # Ranges and digests are of the file, not of a compressed form of it.
    "Accept-Encoding": "identity",
}

Headers = Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """The last reply of a chain of redirects, its body still to come."""

    url: str
    status: int
    headers: Headers
    #: The headers of each reply on the way that the hub itself gave.
    hub_replies: tuple[Headers, ...]
    chunks: Iterator[bytes]


@dataclass(frozen=True)
class _Hop:
    """A response, and how many seconds each wait for its bytes may take."""

    url: str
    response: httpx2.Response
    patience: float


class Client:
    """Connections that are kept while it is open; threads may share it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._lock = threading.Lock()
        self._transports: dict[tuple[str | None, bool], httpx2.HTTPTransport] = {}

    def close(self) -> None:
        """Close all connections."""
        with self._lock:
            for transport in self._transports.values():
                transport.close()

    @contextlib.contextmanager
    def get(self, url: str, headers: Headers, scope: CancelScope) -> Iterator[Reply]:
        """GET a URL; the body is read inside the `with` block.

        Raises:
            TransientError: no reply, or (while reading) the body broke off.
            UnavailableError: a host is not reachable, or the redirects lead nowhere.
            StoppedError: the scope was stopped.
        """
        hop, hub_replies = self._follow(url, headers, scope)
        response = hop.response
        with contextlib.closing(response), scope.receiving(response):
            chunks = self._chunks(hop, scope)
            yield Reply(hop.url, response.status_code, response.headers, hub_replies, chunks)

    def _follow(
        self, url: str, headers: Headers, scope: CancelScope
    ) -> tuple[_Hop, tuple[Headers, ...]]:
        trusted = True
        hub_replies: list[Headers] = []
        for _ in range(_MOST_REDIRECTS + 1):
            route = self._network.mirrors.route(url)
            # Once the chain has left the hub, nobody can lead it back with the token.
            trusted = trusted and not route.mirrored and self._network.credentials.belong_to(url)
            sent = {**_HEADERS, **headers}
            if own := self._network.credentials.authorization(route.url, trusted=trusted):
                sent["Authorization"] = own
            hop = self._send(route.url, sent, scope)
            response = hop.response
            if is_hub_reply(response.headers):
                hub_replies.append(response.headers)
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                return hop, tuple(hub_replies)
            _drain(response, scope)
            url = self._next(route.url, response.headers["location"])
        raise _lost_way(url, f"more than {_MOST_REDIRECTS} redirects")

    def _send(self, url: str, headers: Headers, scope: CancelScope) -> _Hop:
        network = self._network
        network.reachability.ensure(url)
        left = scope.deadline.remaining()
        patience = min(network.policy.read_timeout, max(left, 0.01))
        bound = min(left, _OPENING_TIMEOUTS * patience)
        timeout = httpx2.Timeout(patience).as_dict()
        request = httpx2.Request("GET", url, headers=headers, extensions={"timeout": timeout})
        # Who sends a credential must know to whom.
        verify = network.policy.verify_ssl or "Authorization" in headers
        transport = self._transport(url, verify=verify)
        network.counter.request(place(url))
        try:
            response = within(
                bound,
                partial(transport.handle_request, request),
                stop=scope.stopped,
                discard=httpx2.Response.close,
            )
        except UnfinishedError:
            raise timed_out(url, bound) from None
        except httpx2.HTTPError as error:
            # Not chained: the library's frames hold the headers, and tracebacks show variables.
            raise _failure(error, url, patience) from None
        network.reachability.answered(url)
        asked = f" [{headers['Range']}]" if "Range" in headers else ""
        _log.debug("GET %s%s -> %d", shown(url), asked, response.status_code)
        return _Hop(url, response, patience)

    def _transport(self, url: str, *, verify: bool) -> httpx2.HTTPTransport:
        proxy = proxy_for(url)
        with self._lock:
            if (proxy, verify) not in self._transports:
                try:
                    made = httpx2.HTTPTransport(proxy=proxy, verify=verify)
                except ImportError as error:  # a SOCKS proxy takes a package of its own
                    raise extras.missing("socksio", error) from error
                self._transports[proxy, verify] = made
            return self._transports[proxy, verify]

    def _next(self, url: str, location: str) -> str:
        target = urljoin(url, location)
        try:
            scheme = origin(target).scheme
        except UsageError:
            raise _lost_way(url, f"a redirect to {shown(target)!r}") from None
        if scheme == "http" and self._is_downgrade(url, target):
            raise _lost_way(url, f"a redirect from {origin(url).scheme} to {shown(target)!r}")
        _log.debug("%s redirects to %s", shown(url), shown(target))
        return target

    def _is_downgrade(self, url: str, target: str) -> bool:
        """Whether plain http is less than this chain of redirects began with or must have."""
        began_better = origin(url).scheme == "https"
        if not began_better and not (self._network.policy.https_only and not is_loopback(target)):
            return False
        return not self._network.mirrors.route(target).mirrored

    def _chunks(self, hop: _Hop, scope: CancelScope) -> Iterator[bytes]:
        host = place(hop.url)
        try:
            for chunk in hop.response.iter_raw():
                self._network.counter.received(host, len(chunk))
                yield chunk
        except httpx2.TimeoutException:
            why = f"{host} sent nothing for {hop.patience:.3g} s in the middle of the file"
            raise TransientError(why, hop.url, reason=Reason.TIMEOUT) from None
        except httpx2.HTTPError as error:
            if scope.was_cut:  # then it was not the server that broke off
                came = hop.response.num_bytes_downloaded
                why = f"{host} had sent {came} bytes of its reply when the time was over"
                raise TransientError(why, hop.url, reason=Reason.TIMEOUT) from None
            raise _failure(error, hop.url, hop.patience) from None


def _failure(error: Exception, url: str, waited: float) -> Exception:
    return as_transient(error, url, waited) or _lost_way(url, str(error))


def _drain(response: httpx2.Response, scope: CancelScope) -> None:
    length = response.headers.get("content-length", "")
    with contextlib.closing(response), scope.receiving(response):
        if length.isdigit() and int(length) <= _MOST_DRAINED:
            with contextlib.suppress(httpx2.HTTPError):
                for _ in response.iter_raw():
                    pass


def _lost_way(url: str, what: str) -> UnavailableError:
    return UnavailableError(
        f"{shown(url)}: {what}.",
        reason=Reason.SERVER,
        remedy="check the URL, the mirrors (--pot-mirror) and the proxy",
    )
