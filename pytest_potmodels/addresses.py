"""URLs as people write them: what of one is a name, and what of it nobody may see."""

import re
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

#: Names of query parameters that open something: presigned links, access tokens.
_SECRET = re.compile(
    r"x-(amz|goog|ms)-.*|.*(signature|token|secret|password|passwd|credential).*"
    r"|sig|key|api[-_]?key|key-pair-id|policy|auth|jwt|sas|pwd",
    re.IGNORECASE,
)
#: What stands beside a signature, says nothing without it, and is another one in each link.
_BESIDE_SECRET = re.compile(
    r"expires|awsaccesskeyid|googleaccessid"
    r"|s(v|s|rt|r|p|t|e|pr|ip|koid|ktid|kt|ke|ks|kv)",  # Azure's
    re.IGNORECASE,
)
_SOURCE = re.compile(r"\s*(url:)?(?=https?://)", re.IGNORECASE)
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
    parts = urlsplit(without_secrets(url))
    _ = parts.port  # Raises, if it is no number.
    if not parts.hostname:
        raise ValueError("no host")
    return urlunsplit(parts._replace(netloc=parts.netloc.lower(), fragment=""))


def displayed(text: str) -> str:
    """What somebody wrote for a model, without the secrets it may hold if it is a URL."""
    source = _SOURCE.match(text)
    if source is None:
        return text
    url = text[source.end() :].rstrip()
    try:
        return source.group().lstrip() + without_secrets(url)
    except ValueError:
        return source.group().lstrip() + shown(url)


def _without_secrets(query: str) -> str:
    pairs = parse_qsl(query, keep_blank_values=True)
    kept = [pair for pair in pairs if not _SECRET.fullmatch(pair[0])]
    if len(kept) == len(pairs):
        return query
    return urlencode([pair for pair in kept if not _BESIDE_SECRET.fullmatch(pair[0])])
