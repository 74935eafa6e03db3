"""URLs as people write them: what of one is a name, and what of it nobody may see."""

import re
from urllib.parse import unquote_plus, urlsplit, urlunsplit

#: Names of query parameters that open something: presigned links, access tokens.
_SECRET = re.compile(
    r"(x-(amz|goog|ms|oss|obs)|q)-.*"
    r"|.*(signature|token|secret|password|passwd|credential|session|ticket|authorization|hmac).*"
    r"|.*key|(.*[-_])?(sig|sign)|key-pair-id|policy|auth|oauth|bearer|jwt|sas|pwd|pass|code|verify"
    r"|hdn(ts|ea|tl)",  # Akamai's
    re.IGNORECASE,
)
#: What signs a link that ends at some time, and is a checksum, say, in one that does not.
_SIGNING = re.compile(r"md5|hash|st|h", re.IGNORECASE)
_EXPIRY = re.compile(r"(.*_)?expir(es|y|ation)|e|exp", re.IGNORECASE)
#: What stands beside a signature, says nothing without it, and is another one in each link.
_BESIDE_SECRET = re.compile(
    r"(.*_)?expires|.*accesskeyid|googleaccessid"
    r"|s(v|s|rt|r|p|t|e|pr|ip|koid|ktid|kt|ke|ks|kv)",  # Azure's
    re.IGNORECASE,
)
#: A scheme before a slash; `file:/x@y` is a path, and `C:/x@y` has no scheme.
_SOURCE = re.compile(r"\s*(url:)?(?!file:)(?=[a-z][a-z0-9+.-]+:/)", re.IGNORECASE)
_HEAD = re.compile(r"([^:/]+:/*)(.*)", re.DOTALL)
#: Some servers take a semicolon for an ampersand.
_SEPARATOR = re.compile(r"[&;]")
_WEB = re.compile(r"https?://", re.IGNORECASE)
#: White space and control characters fall out of URLs on their way, and browsers turn `\` round.
_BROKEN = re.compile(r'[\s\\\x00-\x1f\x7f<>"{}|^`]')


class Secret(str):
    """A string that tracebacks, which show local variables by their `repr`, do not give away."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"


def is_web(text: str) -> bool:
    """Whether a text begins as an http:// or https:// URL does."""
    return _WEB.match(text) is not None


def shown(url: str) -> str:
    """A URL for messages: no credentials, no query (signatures live there), no fragment."""
    # A password with a `/`, `?` or `#` in it ends no host: what is before an `@` goes first.
    found = None if _has_host(url) else _HEAD.fullmatch(url)
    if found:
        url = found[1] + found[2].rpartition("@")[2]
    head, _, _ = url.partition("#")
    head, _, _ = head.partition("?")
    scheme, separator, rest = head.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{separator}{authority.rpartition('@')[2]}{slash}{path}"


def without_secrets(url: str) -> str:
    """A URL for manifests, good for another download: credentials and signatures are left out."""
    parts = urlsplit(url)
    return urlunsplit(
        parts._replace(
            netloc=parts.netloc.rpartition("@")[2],
            query=_without_secrets(parts.query),
            fragment=_without_secrets(parts.fragment),
        )
    )


def plain(url: str) -> str:
    """A URL as a name: no secrets, no fragment, scheme and host in lower case.

    Raises:
        ValueError: not the URL of something on a host.
    """
    if not is_web(url) or _BROKEN.search(url):
        raise ValueError("no http:// or https:// URL without blanks")
    if not _has_host(url):
        raise ValueError("no host")
    parts = urlsplit(without_secrets(url))
    return urlunsplit(parts._replace(netloc=parts.netloc.lower(), fragment=""))


def displayed(text: str) -> str:
    """What somebody wrote for a model, without the secrets it may hold if it is a URL."""
    source = _SOURCE.match(text)
    if source is None:
        return text
    url = text[source.end() :].rstrip()
    safe = without_secrets(url) if _has_host(url) else shown(url)
    return source.group().lstrip() + safe


def _has_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port  # Raises, if it is no number.
    except ValueError:
        return False
    return bool(parts.hostname)


def _without_secrets(query: str) -> str:
    pieces = _SEPARATOR.split(query)
    names = [unquote_plus(piece.partition("=")[0]) for piece in pieces]
    secret = {name for name in names if _SECRET.fullmatch(name)}
    if any(_EXPIRY.fullmatch(name) for name in names):
        secret |= {name for name in names if _SIGNING.fullmatch(name)}
    if not secret:
        return query
    kept = [
        piece
        for name, piece in zip(names, pieces, strict=True)
        if name not in secret and not _BESIDE_SECRET.fullmatch(name)
    ]
    return "&".join(kept)
