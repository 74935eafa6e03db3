"""URLs taken apart: where they lead, and how they may be shown."""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from pytest_potmodels.addresses import shown, without_secrets
from pytest_potmodels.errors import UsageError

__all__ = ["Origin", "is_loopback", "origin", "place", "shown", "without_secrets"]

_PORTS = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}


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


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine itself, by name or address."""
    host = origin(url).host
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
