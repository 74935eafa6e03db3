"""What a server's reply says about a file, and whether that agrees with what was promised."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer.failures import WrongBytesError, in_words
from pytest_potmodels.transfer.urls import place, shown

_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHA1 = re.compile(r"[0-9a-f]{40}")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_LOGIN = "log in with `hf auth login` or set HF_TOKEN, and ask for access on the model's page"

#: X-Error-Code of the hub -> what it means here.
_CODES = {
    "GatedRepo": (Reason.GATED, _LOGIN),
    "RepoNotFound": (Reason.PRIVATE, f"check the name; if it is private, {_LOGIN}"),
    "RevisionNotFound": (Reason.UNKNOWN_REVISION, "check the revision on the model's page"),
    "EntryNotFound": (Reason.UNKNOWN_MODEL, "check the file list on the model's page"),
}
_STATUSES: Mapping[int, tuple[Reason, str]] = {
    # Storage that is no hub also answers 403 where there is no such file.
    HTTPStatus.UNAUTHORIZED: (Reason.PRIVATE, f"check the URL; on the hub, {_LOGIN}"),
    HTTPStatus.FORBIDDEN: (Reason.PRIVATE, f"check the URL; on the hub, {_LOGIN}"),
    HTTPStatus.NOT_FOUND: (Reason.UNKNOWN_MODEL, "check the name or the URL"),
    HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS: (Reason.DISABLED, "use another model"),
}
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
#: The hub says this in X-Error-Message, with no code.
_DISABLED = "Access to this resource is disabled."


@dataclass(frozen=True)
class Span:
    """The part of a file that a reply holds; `total` is the whole file's size, if stated."""

    start: int
    total: int | None


def refusal(status: int, headers: Mapping[str, str], url: str) -> UnavailableError:
    """The error for a status that will not change by asking again."""
    code, message = headers.get("x-error-code", ""), headers.get("x-error-message", "")
    if message == _DISABLED:
        status_meaning = _STATUSES[HTTPStatus.UNAVAILABLE_FOR_LEGAL_REASONS]
    else:
        status_meaning = _STATUSES.get(status, (Reason.SERVER, "check the URL"))
    reason, remedy = _CODES.get(code, status_meaning)
    words = (code, _printable(message))
    said = "".join(f", {word}" for word in words if word)
    return UnavailableError(
        f"{shown(url)}: {in_words(status)} from {place(url)}{said}.", reason=reason, remedy=remedy
    )


def is_page(headers: Mapping[str, str]) -> bool:
    """Whether a reply is a page for people, as a login or an error that calls itself 200."""
    return headers.get("content-type", "").partition(";")[0].strip().lower() in _PAGES


def a_page(url: str) -> UnavailableError:
    """The error for a page in place of a file of which nothing is promised."""
    return UnavailableError(
        f"{shown(url)}: a page (text/html) came in place of a file: to log in, or an error.",
        reason=Reason.PRIVATE,
        remedy="give the URL that the file itself is at; if it is one that calls itself a page, "
        "say which bytes are meant: URL#sha256=HEX",
    )


def span(status: int, headers: Mapping[str, str]) -> Span | None:
    """Which bytes a reply with status 200 or 206 holds; None when it does not say."""
    if status == HTTPStatus.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.fullmatch(headers.get("content-range", "").strip())
        if match is None:
            return None
        total = match.group(3)
        return Span(int(match.group(1)), None if total == "*" else int(total))
    length = headers.get("content-length", "")
    return Span(0, int(length) if length.isdigit() else None)


def contradict(file: RemoteFile, hub_replies: Iterable[Mapping[str, str]]) -> None:
    """Compare what the hub's own replies say of a file with what was promised.

    Raises:
        WrongBytesError: they name another content.
    """
    for headers in hub_replies:
        size = headers.get("x-linked-size", "")
        if size.isdigit() and file.size is not None and int(size) != file.size:
            raise WrongBytesError(f"{file.size} bytes", f"{size} bytes (the hub's X-Linked-Size)")
        name = "X-Linked-ETag" if "x-linked-etag" in headers else "ETag"
        _compare_etag(name, headers.get(name.lower(), ""), file.digests)


def is_hub_reply(headers: Mapping[str, str]) -> bool:
    """Whether the hub itself speaks; only its entity tags are digests."""
    return "x-repo-commit" in headers


def validator(headers: Mapping[str, str]) -> str:
    """What If-Range may hold: a strong entity tag, else a date, else ""."""
    etag = headers.get("etag", "")
    return etag if etag and not etag.startswith("W/") else headers.get("last-modified", "")


def _compare_etag(name: str, header: str, digests: Iterable[Digest]) -> None:
    tag = header.removeprefix("W/").strip('"').lower()
    promised = {digest.algorithm: digest for digest in digests}
    if _SHA256.fullmatch(tag):
        # Only LFS files have one: where git's own id was promised, this is another file.
        expected = promised.get("sha256") or promised.get("git-sha1")
        stated = Digest("sha256", tag)
    elif _SHA1.fullmatch(tag):
        expected, stated = promised.get("git-sha1"), Digest("git-sha1", tag)
    else:
        return
    if expected is not None and expected != stated:
        raise WrongBytesError(str(expected), f"{stated} (the hub's {name})")


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:200].rstrip(".")
