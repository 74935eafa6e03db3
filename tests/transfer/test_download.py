"""Each fault of a server, once and for ever, as one file sees it."""

import re
import time
from dataclasses import dataclass, replace
from typing import Any

import pytest
from standin import (
    Dropped,
    Fault,
    FlippedByte,
    Hang,
    NoRange,
    ShortReply,
    Stalled,
    Status,
    Truncated,
    WrongEtag,
)

from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelTooLargeError,
    Reason,
    UnavailableError,
)
from pytest_potmodels.transfer import Deadline

NAME = "model.safetensors"

FAULTS: dict[str, tuple[Fault, str]] = {
    "408": (Status(408), "hub"),
    "429": (Status(429), "hub"),
    "500": (Status(500), "hub"),
    "503": (Status(503), "cdn"),
    "dropped-by-hub": (Dropped(), "hub"),
    "dropped-by-cdn": (Dropped(), "cdn"),
    "hub-hangs": (Hang(), "hub"),
    "cdn-hangs": (Hang(), "cdn"),
    "truncated": (Truncated(at=10_000), "cdn"),
    "truncated-at-once": (Truncated(at=0), "cdn"),
    "stalled": (Stalled(at=10_000), "cdn"),
    "stalled-at-once": (Stalled(at=0), "cdn"),
    "short-reply": (ShortReply(size=10_000), "cdn"),
    "flipped-byte": (FlippedByte(at=7_000), "cdn"),
    "wrong-etag": (WrongEtag(), "hub"),
}


def test_each_fault_that_comes_once_is_overcome(bench: Any) -> None:
    repo = bench.site.add_repo(
        "org/unlucky", {f"{name}.bin": name.encode() * 5_000 for name in FAULTS}
    )
    for name, (kind, server) in FAULTS.items():
        bench.site.fault(kind, f"{name}.bin", server=server)
    transfer = bench.transfer(read_timeout=1.0, jobs=len(FAULTS))
    files = transfer.fetch_all(bench.promised(repo), bench.stage, Deadline(60))
    for file in files:
        name = file.path.removesuffix(".bin")
        assert (bench.stage / file.path).read_bytes() == name.encode() * 5_000
    asked = {name: len(bench.site.log.select(f"{name}.bin")) for name in FAULTS}
    assert all(count > 2 for count in asked.values()), asked  # each fault did come


@pytest.mark.parametrize(
    ("fault", "reason", "says"),
    [
        ("408", Reason.SERVER, "408 Request Timeout from 127"),
        ("429", Reason.SERVER, "429 Too Many Requests from 127"),
        ("503", Reason.SERVER, "503 Service Unavailable from 127"),
        ("dropped-by-hub", Reason.SERVER, "was lost: Server disconnected"),
        ("hub-hangs", Reason.TIMEOUT, "no answer from .* within 0.5 s"),
        ("truncated-at-once", Reason.SERVER, "was lost: peer closed"),
        ("stalled-at-once", Reason.TIMEOUT, "sent nothing for 0.5 s in the middle"),
    ],
)
def test_a_fault_for_ever_ends_with_what_was_tried_and_the_last_failure(
    bench: Any, fault: str, reason: Reason, says: str
) -> None:
    kind, server = FAULTS[fault]
    bench.site.fault(kind, NAME, server=server, times=None)
    error = bench.fails(retries=1, read_timeout=0.5)
    assert isinstance(error, UnavailableError)
    assert error.reason is reason
    assert re.search(f"gave up after 2 tries over .*{says}", error.message)
    assert bench.file.url in error.message
    assert "Signature" not in str(error)


@pytest.mark.parametrize("fault", ["500", "stalled", "cdn-hangs"])
def test_no_fault_outlasts_the_deadline(bench: Any, fault: str) -> None:
    kind, server = FAULTS[fault]
    bench.site.fault(kind, NAME, server=server, times=None)
    started = time.monotonic()
    error = bench.fails(retries=50, read_timeout=20, seconds=1.5)
    assert time.monotonic() - started < 6
    assert error.exit_code == 3
    assert re.search("the last|are left", error.message)


@dataclass(frozen=True)
class Wrong:
    fault: Fault
    server: str
    expected: str
    found: str


@pytest.mark.parametrize(
    "wrong",
    [
        Wrong(FlippedByte(at=5), "cdn", "sha256:", "sha256:"),
        Wrong(ShortReply(size=1000), "cdn", "400000 bytes", "1000 bytes"),
        Wrong(WrongEtag(), "hub", "sha256:", "sha256:" + "0" * 64),
    ],
    ids=["flipped-byte", "short-reply", "wrong-etag"],
)
def test_wrong_bytes_for_ever_are_a_mismatch_after_three_downloads(
    bench: Any, wrong: Wrong
) -> None:
    bench.site.fault(wrong.fault, NAME, server=wrong.server, times=None)
    error = bench.fails()
    assert isinstance(error, DigestMismatchError)
    assert error.exit_code == 4
    assert error.expected.startswith(wrong.expected)
    assert error.found.startswith(wrong.found)
    for part in (NAME, bench.file.url, error.expected, error.found):
        assert part in error.message
    assert bench.site.log.gets(NAME) == 3
    assert list(bench.stage.iterdir()) == []


def test_small_files_are_checked_against_gits_id(bench: Any) -> None:
    (file,) = bench.promised(bench.site.add_repo("org/small", {"config.json": b'{"a": 1}'}))
    bench.site.fault(FlippedByte(), "config.json", times=2)
    assert bench.fetch(file) == b'{"a": 1}'
    assert bench.site.log.gets("config.json") == 3


def test_gits_id_is_checked_although_the_size_is_unknown(bench: Any) -> None:
    (file,) = bench.promised(bench.site.add_repo("org/small", {"config.json": b'{"a": 1}'}))
    file = replace(file, size=None)
    assert bench.fetch(file) == b'{"a": 1}'
    bench.stage /= "other"
    bench.site.fault(FlippedByte(), "config.json", times=None)
    assert isinstance(bench.fails(file), DigestMismatchError)


def test_a_server_that_always_breaks_off_is_used_as_long_as_it_moves_bytes(bench: Any) -> None:
    bench.site.fault(Truncated(at=150_000), NAME, server="cdn", times=None)
    assert bench.fetch(retries=1) == bench.weights
    assert bench.site.log.bytes_sent(NAME) == len(bench.weights)


def test_a_download_from_zero_is_new_progress(bench: Any) -> None:
    bench.leave(bytes(300_000))
    bench.site.fault(Truncated(at=150_000), NAME, server="cdn", times=None)
    assert bench.fetch(retries=1) == bench.weights


def test_bytes_that_were_here_before_are_no_progress(bench: Any) -> None:
    bench.site.fault(_TruncatedWithoutRange(), NAME, server="cdn", times=None)
    error = bench.fails(retries=1)
    assert error.reason is Reason.SERVER
    assert bench.site.log.gets(NAME) == 2


class _TruncatedWithoutRange:
    def alter(self, reply: Any) -> Any:
        return Truncated(at=100_000).alter(NoRange().alter(reply) or reply)


def test_a_wait_that_the_server_asks_for_is_kept(bench: Any) -> None:
    bench.site.fault(Status(429, retry_after="2"), NAME, server="hub")
    started = time.monotonic()
    assert bench.fetch() == bench.weights
    assert time.monotonic() - started >= 2


def test_a_wait_beyond_the_deadline_ends_at_once(bench: Any) -> None:
    bench.site.fault(Status(429, retry_after="3600"), NAME, server="hub", times=None)
    started = time.monotonic()
    error = bench.fails(seconds=60)
    assert time.monotonic() - started < 20
    assert "429 Too Many Requests" in error.message
    assert "Retry-After 3600 s" in error.message
    assert len(bench.site.log) == 1


@pytest.mark.parametrize(
    ("status", "code", "reason"),
    [
        (403, "GatedRepo", Reason.GATED),
        (401, "RepoNotFound", Reason.PRIVATE),
        (404, "EntryNotFound", Reason.UNKNOWN_MODEL),
    ],
)
def test_a_refusal_is_not_tried_again(bench: Any, status: int, code: str, reason: Reason) -> None:
    refused = Status(status, headers={"X-Error-Code": code})
    bench.site.fault(refused, NAME, server="hub", times=None)
    assert bench.fails().reason is reason
    assert len(bench.site.log) == 1


def test_a_compressed_reply_is_refused(bench: Any) -> None:
    bench.site.fault(Status(200, headers={"Content-Encoding": "gzip"}), NAME, server="cdn")
    assert "compressed" in bench.fails().message


def test_an_unstated_size_is_held_to_the_limit_before_the_body(bench: Any) -> None:
    error = bench.fails(bench.plain(bench.weights), max_bytes=300_000)
    assert isinstance(error, ModelTooLargeError)
    assert list(bench.stage.iterdir()) == []


def test_a_body_without_a_length_ends_with_the_connection(bench: Any, scripted: Any) -> None:
    url = scripted([(0, b"HTTP/1.1 200 OK\r\n\r\nthe body"), (0, None)])
    file = replace(bench.plain(b""), url=url)
    assert bench.fetch(file) == b"the body"
    bench.stage /= "other"
    error = bench.fails(replace(file, size=20), retries=0)
    assert "ended at 8 of 20 bytes" in error.message


def test_a_body_without_a_length_is_held_to_the_limit(bench: Any, scripted: Any) -> None:
    url = scripted([(0, b"HTTP/1.1 200 OK\r\n\r\n"), *[(0.01, bytes(1000))] * 1000])
    error = bench.fails(replace(bench.plain(b""), url=url), max_bytes=5_000)
    assert isinstance(error, ModelTooLargeError)
    assert list(bench.stage.iterdir()) == []


def test_a_body_that_does_not_end_is_left_at_the_promised_size(bench: Any, scripted: Any) -> None:
    url = scripted([(0, b"HTTP/1.1 200 OK\r\n\r\n"), *[(0.01, bytes(1000))] * 10_000])
    error = bench.fails(replace(bench.plain(b"", size=5_000), url=url))
    assert isinstance(error, DigestMismatchError)
    assert (error.expected, error.found) == ("5000 bytes", "more")


def test_another_size_than_promised_is_not_taken(bench: Any) -> None:
    error = bench.fails(bench.plain(b"12345", size=4))
    assert isinstance(error, DigestMismatchError)
    assert (error.expected, error.found) == ("4 bytes", "5 bytes")


def test_an_empty_file_needs_no_request(bench: Any) -> None:
    assert bench.fetch(bench.plain(b"", size=0)) == b""
    assert len(bench.site.log) == 0
