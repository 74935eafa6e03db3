"""One failed try as a value: may it be repeated, and what is the true reason?"""

import re
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx2

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer.urls import place, shown

_TOO_MANY = 429
_REPEATABLE = frozenset({408, _TOO_MANY})
_FIRST_SERVER_ERROR = 500
#: The hub's own form of Retry-After: `"api";r=0;t=55` is none left, 55 seconds to wait.
_RATE_LIMIT = re.compile(r"\br=0\s*;\s*t=(\d+)")
_LOST = (
    *(httpx2.NetworkError, httpx2.RemoteProtocolError, httpx2.ProxyError),
    *(ConnectionResetError, ConnectionRefusedError, ConnectionAbortedError, BrokenPipeError),
)


class TransientError(Exception):
    """A try that failed in a way that another try may not.

    `unanswered`: the host did not so much as begin a reply.
    """

    def __init__(
        self,
        why: str,
        url: str,
        *,
        reason: Reason = Reason.SERVER,
        retry_after: float | None = None,
        unanswered: bool = False,
    ) -> None:
        super().__init__(why)
        self.why = why
        self.url = url
        self.reason = reason
        self.retry_after = retry_after
        self.unanswered = unanswered


class WrongBytesError(Exception):
    """What came, or what the server says of it, is not what was promised."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")
        self.expected = expected
        self.found = found


def repeatable(status: int) -> bool:
    """Whether a status may be another one next time."""
    return status in _REPEATABLE or status >= _FIRST_SERVER_ERROR


def bad_status(status: int, headers: Mapping[str, str], url: str) -> TransientError:
    """The failure behind a repeatable status, with the wait that the server asks for."""
    wait = _retry_after(status, headers)
    asks = f", Retry-After {wait:g} s" if wait is not None else ""
    return TransientError(f"{in_words(status)} from {place(url)}{asks}", url, retry_after=wait)


def in_words(status: int) -> str:
    """`503 Service Unavailable`."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"status {status}"


def as_transient(error: Exception, url: str, waited: float) -> TransientError | None:
    """What a client library raised, as a failure that may be repeated; None for all else.

    `waited` is the read timeout, in seconds, that the try ran with.

    Raises:
        UnavailableError: SERVER; its certificate is not accepted, and will not be.
    """
    response = getattr(error, "response", None)
    if isinstance(response, httpx2.Response):
        status = response.status_code
        return bad_status(status, response.headers, url) if repeatable(status) else None
    if isinstance(error, httpx2.ConnectError):
        return _not_connected(error, url)
    if isinstance(error, (httpx2.TimeoutException, TimeoutError)):
        return timed_out(url, waited)
    if isinstance(error, _LOST):
        return _lost(error, url)
    return None


def timed_out(url: str, waited: float) -> TransientError:
    """No reply in time."""
    why = f"no answer from {place(url)} within {waited:.3g} s"
    return TransientError(why, url, reason=Reason.TIMEOUT, unanswered=True)


def _not_connected(error: httpx2.ConnectError, url: str) -> TransientError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            raise _distrusted(cause, url) from None
        cause = cause.__cause__ or cause.__context__
    why = f"cannot connect to {place(url)}: {error}"
    return TransientError(why, url, reason=Reason.OFFLINE, unanswered=True)


def _distrusted(error: ssl.SSLCertVerificationError, url: str) -> UnavailableError:
    # The system's own verifier (truststore on macOS and Windows) leaves `verify_message` out.
    said = getattr(error, "verify_message", "") or str(error)
    return UnavailableError(
        f"{shown(url)}: the certificate of {place(url)} is not accepted: {said}.",
        reason=Reason.SERVER,
        remedy="name the certificates to trust: SSL_CERT_FILE=/path/to/bundle.pem",
    )


def _lost(error: Exception, url: str) -> TransientError:
    said = str(error) or type(error).__name__
    return TransientError(f"the connection to {place(url)} was lost: {said}", url)


def _retry_after(status: int, headers: Mapping[str, str]) -> float | None:
    """Seconds to wait: a number, or a date seen from the server's own clock."""
    value = headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    if value and (moment := _date(value)):
        now = _date(headers.get("date", "")) or datetime.now(UTC)
        return max(0.0, (moment - now).total_seconds())
    limit = _RATE_LIMIT.search(headers.get("ratelimit", ""))
    return float(limit.group(1)) if limit and status == _TOO_MANY else None


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
