"""Each fault, seen on the wire by a plain HTTP client, and the classic ones by huggingface_hub."""

import threading
import time
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import hf_hub_download
from standin import (
    Dropped,
    Fault,
    FlippedByte,
    Hang,
    NoRange,
    RedirectTo,
    ShortReply,
    Slowed,
    Stalled,
    StandIn,
    Status,
    Truncated,
    WrongEtag,
)

DATA = bytes(range(256)) * 4
ID = "org/model"
#: Only where nothing is to come: a busy machine may take this long for a reply.
SOON = 0.3


@pytest.fixture
def url(site: StandIn) -> str:
    return site.add_download("/models/file.pth", DATA)


def read(
    url: str, headers: dict[str, str] | None = None, *, patience: float = 10
) -> tuple[bytes, Exception | None]:
    """What came of a body before an error, and the error."""
    got = b""
    try:
        with httpx2.stream("GET", url, headers=headers, timeout=patience) as reply:
            for chunk in reply.iter_raw():
                got += chunk
    except httpx2.HTTPError as error:
        return got, error
    return got, None


@pytest.mark.parametrize("code", [408, 429, 500, 503, 504])
def test_a_status_comes_as_often_as_asked(site: StandIn, url: str, code: int) -> None:
    site.fault(Status(code, retry_after="2"), "file.pth", times=2)
    replies = [httpx2.get(url) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [code, code, 200]
    assert replies[0].headers["retry-after"] == "2"


def test_a_fault_for_ever_lasts_until_healed(site: StandIn, url: str) -> None:
    site.fault(Status(500), times=None)
    assert {httpx2.get(url).status_code for _ in range(5)} == {500}
    site.heal()
    assert httpx2.get(url).status_code == 200


def test_a_fault_hits_only_what_it_names(site: StandIn, url: str) -> None:
    other = site.add_download("/models/other.pth", DATA)
    site.fault(Status(500), "file.pth", server="downloads", method="GET", times=None)
    assert httpx2.get(other).status_code == 200
    assert httpx2.head(url).status_code == 200
    assert httpx2.get(url).status_code == 500
    site.heal()
    site.fault(Status(500), server="hub", times=None)
    assert httpx2.get(url).status_code == 200


def test_a_dropped_connection_ends_without_a_reply(site: StandIn, url: str) -> None:
    site.fault(Dropped())
    assert isinstance(read(url)[1], httpx2.RemoteProtocolError)
    assert [(each.status, each.bytes_sent) for each in site.log] == [(0, 0)]
    assert read(url) == (DATA, None)


def test_a_truncated_body_breaks_its_promise(site: StandIn, url: str) -> None:
    site.fault(Truncated(at=700))
    got, error = read(url)
    assert got == DATA[:700]
    assert "expected 1024" in str(error)
    assert site.log.bytes_sent("file.pth") == 700


def test_a_stalled_body_goes_quiet(site: StandIn, url: str) -> None:
    site.fault(Stalled(at=100))
    got, error = read(url, patience=SOON)
    assert got == DATA[:100]
    assert isinstance(error, httpx2.ReadTimeout)


def test_a_stalled_body_may_go_on(site: StandIn, url: str) -> None:
    site.fault(Stalled(at=100, seconds=0.05))
    assert read(url) == (DATA, None)


def test_a_hanging_server_takes_the_request_and_says_nothing(site: StandIn, url: str) -> None:
    site.fault(Hang())
    assert isinstance(read(url, patience=SOON)[1], httpx2.ReadTimeout)
    site.fault(Hang(seconds=0.05))
    assert read(url) == (DATA, None)


def test_a_flipped_byte_keeps_size_and_etag(site: StandIn, url: str) -> None:
    etag = httpx2.head(url).headers["etag"]
    site.fault(FlippedByte(at=5), method="GET", times=2)
    reply = httpx2.get(url)
    differing = [place for place, byte in enumerate(reply.content) if byte != DATA[place]]
    assert (differing, len(reply.content)) == ([5], len(DATA))
    assert reply.headers["etag"] == etag
    part = httpx2.get(url, headers={"Range": "bytes=4-6"})
    assert part.content == bytes([4, 5 ^ 0xFF, 6])


def test_a_short_reply_is_consistent_with_its_headers(site: StandIn, url: str) -> None:
    site.fault(ShortReply(size=10))
    reply = httpx2.get(url)
    assert (reply.content, reply.headers["content-length"]) == (DATA[:10], "10")


def test_a_server_without_ranges_sends_the_whole_file(site: StandIn, url: str) -> None:
    site.fault(NoRange())
    reply = httpx2.get(url, headers={"Range": "bytes=1000-"})
    assert (reply.status_code, reply.content) == (200, DATA)
    assert "accept-ranges" not in reply.headers


def test_a_wrong_etag_is_sent_where_there_is_one(site: StandIn) -> None:
    site.add_repo(ID, {"x.safetensors": DATA})
    site.fault(WrongEtag("f" * 64), times=None)
    reply = httpx2.head(f"{site.hub.url}/{ID}/resolve/main/x.safetensors")
    wrong = '"' + "f" * 64 + '"'
    assert (reply.headers["etag"], reply.headers["x-linked-etag"]) == (wrong, wrong)


def test_a_redirect_goes_where_the_test_says(site: StandIn, url: str) -> None:
    target = site.add_download("/elsewhere", b"other")
    site.fault(RedirectTo(target), "file.pth")
    assert httpx2.get(url, follow_redirects=True).content == b"other"


@pytest.mark.parametrize(
    "kind", [Truncated(5), FlippedByte(9), ShortReply(9), Stalled(0), NoRange()]
)
def test_a_fault_of_a_body_passes_the_redirect_by(site: StandIn, kind: Fault) -> None:
    site.add_repo(ID, {"x.safetensors": DATA})
    site.fault(kind, "x.safetensors")
    reply = httpx2.get(f"{site.hub.url}/{ID}/resolve/main/x.safetensors")
    assert reply.status_code == 302
    got, error = read(reply.headers["location"], {"Range": "bytes=1-"}, patience=SOON)
    assert got != DATA[1:] or error
    assert read(reply.headers["location"]) == (DATA, None)


def test_closing_the_site_frees_those_who_wait() -> None:
    with StandIn() as site:
        url = site.add_download("/x", DATA)
        site.fault(Hang())
        errors: list[Exception | None] = []
        patient = threading.Thread(target=lambda: errors.append(wait_for(url)))
        patient.start()
        while not site.log.select("/x"):
            patient.join(0.01)
    patient.join(timeout=10)
    assert not patient.is_alive()
    assert isinstance(errors[0], httpx2.RemoteProtocolError)


def wait_for(url: str) -> Exception | None:
    try:
        httpx2.get(url, timeout=60)
    except httpx2.HTTPError as error:
        return error
    return None


def fetched(site: StandIn, folder: Path) -> bytes:
    path = hf_hub_download(ID, "x.safetensors", endpoint=site.hub.url, cache_dir=folder)
    return Path(path).read_bytes()


def test_the_stock_client_resumes_what_was_cut(site: StandIn, tmp_path: Path) -> None:
    data = DATA * 12_000  # 12.3 MB: its resume works in steps of 10 MiB
    site.add_repo(ID, {"x.safetensors": data})
    site.fault(Truncated(at=11_000_000), "x.safetensors")
    assert fetched(site, tmp_path) == data
    first, second = site.log.select("x.safetensors", server="cdn")
    assert (first.status, first.bytes_sent) == (200, 11_000_000)
    assert (second.status, second.headers["range"]) == (206, "bytes=10485760-")


def test_the_stock_client_accepts_a_flipped_byte(site: StandIn, tmp_path: Path) -> None:
    site.add_repo(ID, {"x.safetensors": DATA})
    site.fault(FlippedByte(at=3), "x.safetensors")
    assert fetched(site, tmp_path) != DATA


def test_the_stock_client_notices_a_short_file(site: StandIn, tmp_path: Path) -> None:
    site.add_repo(ID, {"x.safetensors": DATA})
    site.fault(ShortReply(size=10), "x.safetensors")
    with pytest.raises(OSError, match="Consistency check failed"):
        fetched(site, tmp_path)


def test_the_stock_client_repeats_a_head_that_failed(site: StandIn, tmp_path: Path) -> None:
    site.add_repo(ID, {"x.safetensors": DATA})
    site.fault(Status(503), server="hub", method="HEAD")
    assert fetched(site, tmp_path) == DATA
    assert [each.status for each in site.log] == [503, 302, 200]


def test_a_slowed_body_takes_its_time_whole(site: StandIn) -> None:
    url = site.add_download("/file", bytes(50_000))
    site.fault(Slowed(bytes_per_second=100_000))
    started = time.monotonic()
    assert read(url) == (bytes(50_000), None)
    assert time.monotonic() - started >= 0.45
