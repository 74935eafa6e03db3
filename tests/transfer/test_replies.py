from pathlib import PurePosixPath

import pytest

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import Reason
from pytest_potmodels.transfer import replies
from pytest_potmodels.transfer.failures import WrongBytesError

URL = "https://hub.example/org/model/resolve/main/x?Signature=secret"
SHA256, SHA1 = "a" * 64, "b" * 40


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (401, "GatedRepo", Reason.GATED),
        (403, "GatedRepo", Reason.GATED),
        (401, "RepoNotFound", Reason.PRIVATE),
        (404, "RevisionNotFound", Reason.UNKNOWN_REVISION),
        (404, "EntryNotFound", Reason.UNKNOWN_MODEL),
        (401, "", Reason.PRIVATE),
        (403, "", Reason.PRIVATE),
        (404, "", Reason.UNKNOWN_MODEL),
        (410, "", Reason.SERVER),
        (299, "", Reason.SERVER),
        (451, "", Reason.DISABLED),
    ],
)
def test_a_refusal_has_the_reason_that_the_server_gives(
    status: int, code: str, reason: Reason
) -> None:
    headers = {"x-error-code": code, "x-error-message": "Ask for access.\r\n"}
    error = replies.refusal(status, headers, URL)
    assert error.reason is reason
    assert str(status) in error.message
    assert "Ask for access" in error.message
    assert "secret" not in str(error)


def test_a_disabled_repository_is_said_to_be_so() -> None:
    headers = {"x-error-message": "Access to this resource is disabled."}
    assert replies.refusal(403, headers, URL).reason is Reason.DISABLED


@pytest.mark.parametrize(
    ("status", "headers", "expected"),
    [
        (200, {"content-length": "5"}, replies.Span(0, 5)),
        (200, {}, replies.Span(0, None)),
        (206, {"content-range": "bytes 5-9/10"}, replies.Span(5, 10)),
        (206, {"content-range": "bytes 5-9/*"}, replies.Span(5, None)),
        (206, {"content-range": "lines 1-2/3"}, None),
        (206, {}, None),
    ],
)
def test_a_span_is_read_from_the_headers(
    status: int, headers: dict[str, str], expected: replies.Span | None
) -> None:
    assert replies.span(status, headers) == expected


def _file(*digests: Digest, size: int | None = 10) -> RemoteFile:
    return RemoteFile(PurePosixPath("x"), URL, size, digests)


@pytest.mark.parametrize(
    ("digest", "headers"),
    [
        (Digest("sha256", SHA256), {"x-linked-etag": f'"{"c" * 64}"', "etag": f'"{SHA256}"'}),
        (Digest("sha256", SHA256), {"etag": f'W/"{"c" * 64}"'}),
        (Digest("git-sha1", SHA1), {"etag": f'"{"c" * 40}"'}),
        (Digest("git-sha1", SHA1), {"etag": f'"{"c" * 64}"'}),
        (Digest("sha256", SHA256), {"x-linked-size": "11"}),
    ],
)
def test_a_hub_that_names_another_content_is_contradicted(
    digest: Digest, headers: dict[str, str]
) -> None:
    with pytest.raises(WrongBytesError):
        replies.contradict(_file(digest), [{}, headers])


@pytest.mark.parametrize(
    ("digest", "headers"),
    [
        (Digest("sha256", SHA256), {"x-linked-etag": f'"{SHA256.upper()}"', "x-linked-size": "10"}),
        (Digest("sha256", SHA256), {"etag": f'"{SHA1}"'}),
        (Digest("sha256-prefix", SHA256[:8]), {"etag": f'"{"c" * 64}"'}),
        (Digest("git-sha1", SHA1), {"etag": '"5d41402abc4b2a76b9719d911017c592"'}),
        (Digest("git-sha1", SHA1), {}),
    ],
)
def test_what_agrees_or_cannot_be_compared_passes(digest: Digest, headers: dict[str, str]) -> None:
    replies.contradict(_file(digest), [headers])


def test_only_a_strong_tag_or_a_date_names_a_version() -> None:
    assert replies.validator({"etag": '"x"', "last-modified": "Fri"}) == '"x"'
    assert replies.validator({"etag": 'W/"x"', "last-modified": "Fri"}) == "Fri"
    assert replies.validator({}) == ""


@pytest.mark.parametrize(
    ("kind", "page"),
    [
        ("text/html", True),
        ("Text/HTML; charset=utf-8", True),
        ("application/xhtml+xml", True),
        ("application/octet-stream", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_a_page_for_people_is_told_by_its_type(kind: str, page: bool) -> None:  # noqa: FBT001
    assert replies.is_page({"content-type": kind} if kind else {}) is page
