import ssl
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer.failures import as_transient, bad_status, repeatable

URL = "https://hub.example/x?Signature=secret"
NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_these_statuses_may_change(status: int) -> None:
    assert repeatable(status)


@pytest.mark.parametrize("status", [200, 206, 301, 400, 401, 403, 404, 416])
def test_these_statuses_will_not(status: int) -> None:
    assert not repeatable(status)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "soon"}, None),
        (
            {
                "date": format_datetime(NOW, usegmt=True),
                "retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True),
            },
            90.0,
        ),
        ({"retry-after": format_datetime(NOW - timedelta(days=900), usegmt=True)}, 0.0),
        ({"ratelimit": '"api";r=0;t=55'}, 55.0),
        ({"ratelimit": '"api";r=3;t=55'}, None),
    ],
)
def test_the_wait_a_server_asks_for_is_understood(
    headers: dict[str, str], expected: float | None
) -> None:
    failure = bad_status(429, headers, URL)
    assert failure.retry_after == expected
    assert failure.why.startswith("429 Too Many Requests from hub.example")


def test_an_unknown_status_has_words_too() -> None:
    assert "status 599" in bad_status(599, {}, URL).why


@pytest.mark.parametrize(
    ("error", "reason", "unanswered"),
    [
        (httpx2.ConnectError("[Errno 111] Connection refused"), Reason.OFFLINE, True),
        (httpx2.ConnectTimeout("timed out"), Reason.TIMEOUT, True),
        (httpx2.ReadTimeout("timed out"), Reason.TIMEOUT, True),
        (TimeoutError("timed out"), Reason.TIMEOUT, True),
        (httpx2.RemoteProtocolError("Server disconnected"), Reason.SERVER, False),
        (httpx2.ReadError("reset"), Reason.SERVER, False),
        (httpx2.ProxyError("502 Bad Gateway"), Reason.SERVER, False),
        (ConnectionResetError("reset"), Reason.SERVER, False),
    ],
)
def test_lost_connections_and_timeouts_are_transient(
    error: Exception, reason: Reason, unanswered: object
) -> None:
    failure = as_transient(error, URL, 10)
    assert failure is not None
    assert (failure.reason, failure.unanswered) == (reason, unanswered)
    assert "hub.example" in failure.why
    assert "secret" not in failure.why


@pytest.mark.parametrize(
    "error", [ValueError("x"), ConnectionError("offline mode"), PermissionError("x")]
)
def test_everything_else_is_not(error: Exception) -> None:
    assert as_transient(error, URL, 10) is None


@pytest.mark.parametrize(("status", "transient"), [(503, True), (429, True), (404, False)])
def test_a_client_librarys_error_is_judged_by_its_status(status: int, transient: object) -> None:
    response = httpx2.Response(status, request=httpx2.Request("GET", URL))
    error = httpx2.HTTPStatusError("bad", request=response.request, response=response)
    assert (as_transient(error, URL, 10) is not None) is transient


def test_a_certificate_that_is_not_accepted_is_final() -> None:
    error = httpx2.ConnectError("certificate verify failed")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed certificate")
    with pytest.raises(
        UnavailableError, match=r"certificate of hub\.example .*self-signed"
    ) as caught:
        as_transient(error, URL, 10)
    assert "SSL_CERT_FILE" in caught.value.remedy
