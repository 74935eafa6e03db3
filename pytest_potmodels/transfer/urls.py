"""URLs taken apart: where they lead, and how they may be shown."""

import re
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from pytest_potmodels.errors import UsageError

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
#: Names of query parameters that open something: presigned links, access tokens.
_SECRET = re.compile(
    r"x-(amz|goog|ms)-.*|.*(signature|token|secret|password|credential).*"
    r"|sig|key|api[-_]?key|key-pair-id|policy|auth",
    re.IGNORECASE,
)


class Origin(NamedTuple):
    """Scheme, host and port: what a credential belongs to."""

    scheme: str
    host: str
    port: int

    @property
    def place(self) -> str:
        """`host`, or `host:port` where the port is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"


def origin(url: str) -> Origin:
    """Where a URL leads.

    Raises:
        UsageError: not a URL of a scheme that can be spoken here.
    """
    try:
        parts = urlsplit(url)
        scheme, host, port = parts.scheme.lower(), parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in _PORTS or not host:
        raise UsageError(f"{shown(url)!r} is not an http:// or https:// URL.")
    return Origin(scheme, host, _PORTS[scheme] if port is None else port)


def place(url: str) -> str:
    """The host of a URL, with its port where that is not the usual one."""
    return origin(url).place


def shown(url: str) -> str:
    """A URL for messages: no credentials, no query (signatures live there), no fragment."""
    head, _, _ = url.partition("#")
    head, _, _ = head.partition("?")
    scheme, separator, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def without_secrets(url: str) -> str:
    """A URL for manifests, good for another download: credentials and signatures are left out."""
    parts = urlsplit(url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in pairs if not _SECRET.fullmatch(name)]
    query = parts.query if len(kept) == len(pairs) else urlencode(kept)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query))
