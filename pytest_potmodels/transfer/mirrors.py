"""Prefix rewriting of URLs, like git's insteadOf."""

from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit


class Route(NamedTuple):
    """Where a request really goes."""

    url: str
    mirrored: bool


class Mirrors:
    """The rules OLD=NEW; the longest OLD that a URL starts with wins.

    An OLD that ends inside the host name matches that host only: `https://hub.example` is not a
    prefix of `https://hub.example.evil`.
    """

    def __init__(self, rules: Iterable[tuple[str, str]]) -> None:
        pairs = [(_normal(old), new) for old, new in rules]
        self._rules = sorted(pairs, key=lambda rule: len(rule[0]), reverse=True)

    def route(self, url: str) -> Route:
        """Rewrite a URL, once."""
        normal = _normal(url)
        for old, new in self._rules:
            if _starts_with(normal, old):
                return Route(_joined(new, old, normal), mirrored=True)
        return Route(url, mirrored=False)

    def base(self, url: str) -> Route:
        """Rewrite the address of a whole site, to which a client will append paths."""
        route = self.route(url.rstrip("/") + "/")
        return Route(route.url.rstrip("/"), route.mirrored)


def _normal(url: str) -> str:
    parts = urlsplit(url)
    return urlunsplit(parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower()))


def _starts_with(url: str, old: str) -> bool:
    if not url.startswith(old):
        return False
    whole_host = urlsplit(old).path == ""
    return not whole_host or url[len(old) :][:1] in {"", "/", "?", "#"}


def _joined(new: str, old: str, url: str) -> str:
    """NEW and the rest of the URL, with one slash between where OLD and NEW differ in that."""
    rest = url[len(old) :]
    if old.endswith("/") and not new.endswith("/"):
        return f"{new}/{rest}"
    if new.endswith("/") and rest.startswith("/"):
        return new + rest[1:]
    return new + rest
