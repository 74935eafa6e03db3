"""A file by URL on its way into the cache: what is promised, pinned, refused and resumed."""

import hashlib
import logging
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cli.harness import spoil
from machine import Machine, until
from standin import FlippedByte, RedirectTo, Stalled, StandIn, Status, Truncated

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelTooLargeError,
    Reason,
    UnavailableError,
    UsageError,
)
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.sources import by_url

WEIGHTS = bytes(range(256)) * 400
HEX = hashlib.sha256(WEIGHTS).hexdigest()
OTHER = WEIGHTS[:-1] + b"!"
KEY = "hf_5ec4e7"


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "cache", {"token": KEY})


@pytest.fixture
def url(site: StandIn) -> str:
    return site.add_download("/a/m.pth", WEIGHTS)


def fetch(
    at: Machine | Pipeline, text: str, *, again: bool = False, label: str | None = None
) -> StoredModel:
    pipeline = at if isinstance(at, Pipeline) else at.pipeline()
    request = replace(pipeline.catalog.request(text), label=label)
    return pipeline.acquire(request, again=again)


def set_(pipeline: Pipeline, **settings: Any) -> Pipeline:
    pipeline.settings = replace(pipeline.settings, **settings)
    return pipeline


def test_a_file_is_one_request_and_none_when_it_is_there(machine: Machine, url: str) -> None:
    stored = fetch(machine, f"{url}#sha256={HEX}")
    assert (stored.fresh, stored.format) == (True, "weights")
    assert (stored.path / "m.pth").read_bytes() == WEIGHTS
    assert stored.path.name.startswith("url_m.pth-")
    assert len(machine.site.log) == 1
    assert not fetch(machine, url).fresh
    assert not fetch(machine, f"url:{url}#sha256={HEX}").fresh
    assert len(machine.site.log) == 1


def test_two_urls_of_one_file_name_are_two_entries(machine: Machine, url: str) -> None:
    other = machine.site.add_download("/b/m.pth", OTHER)
    assert fetch(machine, url).path != fetch(machine, other).path
    assert fetch(machine, f"{url}?v=2").path != fetch(machine, url).path
    assert len(machine.visible()) == 3


def test_what_is_promised_is_checked_before_anybody_sees_it(machine: Machine, url: str) -> None:
    machine.site.add_download("/a/m.pth", OTHER)
    with pytest.raises(DigestMismatchError, match=f"expected sha256:{HEX}"):
        fetch(machine, f"{url}#sha256={HEX}")
    assert machine.visible() == []


def test_a_first_use_pins_and_says_what_to_write(
    machine: Machine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fetch(machine, url)
        fetch(machine, url)
    (said,) = [record.getMessage() for record in caplog.records]
    assert f"pinned at first use; to have it checked, write url:{url}#sha256={HEX}" in said
    machine.site.add_download("/a/m.pth", OTHER)
    assert (fetch(machine, url).path / "m.pth").read_bytes() == WEIGHTS


def test_a_promise_is_no_first_use(
    machine: Machine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        fetch(machine, f"{url}#sha256={HEX}")
    assert caplog.records == []


def test_another_promise_than_what_is_stored_is_an_error_and_no_download(
    machine: Machine, url: str
) -> None:
    fetch(machine, url)
    machine.site.log.clear()
    with pytest.raises(DigestMismatchError, match="stored with other bytes") as raised:
        fetch(machine, f"{url}#sha256={'0' * 64}")
    assert (raised.value.expected, raised.value.found) == ("0" * 64, HEX)
    assert "potmodels download --force" in raised.value.remedy
    assert len(machine.site.log) == 0


def test_by_force_it_is_fetched_anew_and_pinned_anew(
    machine: Machine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = fetch(machine, url)
    machine.site.add_download("/a/m.pth", OTHER)
    with caplog.at_level(logging.WARNING):
        after = fetch(machine, url, again=True)
    assert (after.path, after.fresh) == (before.path, True)
    assert (after.path / "m.pth").read_bytes() == OTHER
    assert f"pinned anew: it was {HEX}" in caplog.text
    with pytest.raises(DigestMismatchError):
        fetch(machine, f"{url}#sha256={HEX}")


def test_by_force_a_broken_promise_leaves_what_was_there(machine: Machine, url: str) -> None:
    fetch(machine, url)
    with pytest.raises(DigestMismatchError, match="not what was promised"):
        fetch(machine, f"{url}#sha256={'0' * 64}", again=True)
    assert not fetch(machine, f"{url}#sha256={HEX}").fresh


def test_a_damaged_file_is_mended_with_the_same_bytes(machine: Machine, url: str) -> None:
    stored = fetch(machine, url)
    spoil(stored.path / "m.pth")
    assert (fetch(machine, url).path / "m.pth").read_bytes() == WEIGHTS


def test_a_damaged_file_is_not_mended_with_others(machine: Machine, url: str) -> None:
    spoil(fetch(machine, url).path / "m.pth")
    machine.site.add_download("/a/m.pth", OTHER)
    with pytest.raises(DigestMismatchError):
        fetch(machine, url)


def test_a_presigned_link_mends_what_only_it_opens(machine: Machine, url: str) -> None:
    signed = f"{url}?X-Amz-Signature=5ec4e7"
    spoil(fetch(machine, signed).path / "m.pth")
    machine.site.fault(Status(403), "/a/m.pth")  # Answers the address that has no signature.
    assert (fetch(machine, signed).path / "m.pth").read_bytes() == WEIGHTS
    assert "Signature" in machine.site.log.select("/a/m.pth")[-1].path


def test_what_opens_a_link_is_written_nowhere(
    machine: Machine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    secret = url.replace("http://", "http://me:5ec4e7@") + "?X-Amz-Signature=5ec4e7&v=1"
    with caplog.at_level(logging.DEBUG):
        stored = fetch(machine, secret)
    (request,) = machine.site.log
    assert request.path == "/a/m.pth?X-Amz-Signature=5ec4e7&v=1"
    assert request.headers["authorization"].startswith("Basic ")
    assert stored.id.name == f"{url}?v=1"
    assert "5ec4e7" not in caplog.text + repr(stored)
    for path in machine.cache.rglob("*"):
        assert "5ec4e7" not in str(path)
        assert not path.is_file() or b"5ec4e7" not in path.read_bytes()
    assert not fetch(machine, f"{url}?v=1").fresh


def test_an_error_says_nothing_of_what_opens_a_link(machine: Machine, url: str) -> None:
    secret = url.replace("http://", "http://me:5ec4e7@") + "?X-Amz-Signature=5ec4e7"
    machine.site.fault(Status(404), "/a/m.pth")
    with pytest.raises(UnavailableError) as raised:
        fetch(machine, secret)
    assert raised.value.reason is Reason.UNKNOWN_MODEL
    assert "5ec4e7" not in str(raised.value)


def test_locked_what_nobody_pinned_is_refused_before_it_moves(
    machine: Machine, url: str, tmp_path: Path
) -> None:
    lock = tmp_path / "potmodels.lock"
    lock.write_text("version = 1\n")
    with pytest.raises(UnavailableError) as raised:
        fetch(set_(machine.pipeline(), locked=True, lock=lock), url)
    assert raised.value.reason is Reason.NOT_LOCKED
    assert len(machine.site.log) == 0


def test_a_login_page_is_no_model(machine: Machine, url: str) -> None:
    page = Status(200, headers={"Content-Type": "text/html; charset=utf-8"})
    machine.site.fault(page, "/a/m.pth", times=None)
    with pytest.raises(UnavailableError, match=r"a page \(text/html\) came") as raised:
        fetch(machine, url)
    assert raised.value.reason is Reason.PRIVATE
    assert machine.site.log.gets("/a/m.pth") == 1
    assert machine.visible() == []
    with pytest.raises(DigestMismatchError):  # A promise decides by itself.
        fetch(machine, f"{url}#sha256={HEX}")


@pytest.mark.parametrize(
    "location",
    ["file:///etc/passwd", "http://elsewhere.example/m.pth", "ftp://elsewhere.example/m.pth"],
    ids=["file", "http", "ftp"],
)
def test_a_redirect_out_of_https_is_not_followed(machine: Machine, url: str, location: str) -> None:
    machine.site.fault(RedirectTo(location), "/a/m.pth")
    with pytest.raises(UnavailableError, match="a redirect"):
        fetch(machine, url)
    assert machine.visible() == []
    parts = (machine.cache / ".pot" / "partial").rglob("*")
    assert not any(path.is_file() for path in parts)


def test_a_redirect_to_another_host_carries_neither_token_nor_password(
    machine: Machine, url: str
) -> None:
    there = machine.site.downloads.url.replace("127.0.0.1", "localhost")
    machine.site.add_download("/elsewhere", WEIGHTS)
    machine.site.fault(RedirectTo(f"{there}/elsewhere"), "/a/m.pth")
    fetch(machine, url.replace("http://", "http://me:pass@"))
    first, second = machine.site.log
    assert "authorization" in first.headers
    assert second.path == "/elsewhere"
    assert "authorization" not in second.headers


def test_the_hubs_token_goes_to_the_hub_alone(machine: Machine, url: str) -> None:
    site = machine.site
    site.add_repo("org/m", {"m.pth": WEIGHTS}, private=True, token=KEY)
    fetch(machine, url)
    assert site.log.authorizations() == []
    fetch(machine, f"{site.hub.url}/org/m/resolve/main/m.pth")
    assert site.log.authorizations("hub") == [f"Bearer {KEY}"]
    assert site.log.authorizations("cdn") == []


def test_a_mirror_answers_for_https(machine: Machine, url: str) -> None:
    rule = ("https://files.example/", f"{machine.site.downloads.url}/")
    stored = fetch(machine.pipeline(mirrors=(rule,)), f"https://files.example/a/m.pth#sha256={HEX}")
    assert stored.files[0].url == "https://files.example/a/m.pth"
    assert str(machine.site.downloads.url) not in (stored.path / "model_info.json").read_text()


def test_a_file_over_the_limit_is_not_fetched(machine: Machine, url: str) -> None:
    with pytest.raises(ModelTooLargeError, match="--pot-max-size"):
        fetch(machine.pipeline(max_bytes=1000), url)
    assert machine.visible() == []


def test_a_connection_that_breaks_off_is_taken_up_where_it_was(machine: Machine, url: str) -> None:
    machine.site.fault(Truncated(at=60_000), "/a/m.pth")
    assert (fetch(machine, url).path / "m.pth").read_bytes() == WEIGHTS
    second = machine.site.log.select("/a/m.pth")[-1]
    assert (second.status, second.headers["range"]) == (206, "bytes=60000-")


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_a_download_that_is_killed_is_resumed(machine: Machine) -> None:
    data = WEIGHTS * 20
    url = machine.site.add_download("/a/large.pth", data)
    machine.site.fault(Stalled(at=1_500_000), "/a/large.pth")
    partial = machine.cache / ".pot" / "partial"

    def size() -> int:
        return sum(path.stat().st_size for path in partial.glob("*/large.pth.part"))

    with machine.start(f"url:{url}", read_timeout=60) as child:
        until(lambda: size() >= 1_500_000, child)
        child.kill()
        child.wait()
    assert machine.visible() == []
    assert (fetch(machine, url).path / "large.pth").read_bytes() == data
    assert machine.site.log.select("/a/large.pth")[-1].headers["range"] == "bytes=1500000-"


def test_what_changed_between_two_tries_is_not_joined(machine: Machine, url: str) -> None:
    machine.site.fault(Truncated(at=60_000), "/a/m.pth")
    machine.site.fault(Status(404), "/a/m.pth")
    with pytest.raises(UnavailableError):
        fetch(machine, url)
    machine.site.add_download("/a/m.pth", OTHER[::-1])
    assert (fetch(machine, url).path / "m.pth").read_bytes() == OTHER[::-1]


def test_a_flipped_byte_is_fetched_again_where_a_digest_tells(machine: Machine, url: str) -> None:
    machine.site.fault(FlippedByte(at=7), "/a/m.pth")
    stored = fetch(machine, f"{url}#sha256={HEX}")
    assert stored.files[0].sha256 == HEX
    assert machine.site.log.gets("/a/m.pth") == 2


def test_models_by_url_have_a_time_of_their_own(machine: Machine, url: str) -> None:
    machine.site.fault(Stalled(at=10), "/a/m.pth", times=None)
    with pytest.raises(UnavailableError, match=r"the 0\.8 s allowed are over") as raised:
        fetch(set_(machine.pipeline(), url_timeout=0.8, timeout=500), url)
    assert raised.value.reason is Reason.TIMEOUT


def test_a_label_names_the_folder(machine: Machine, url: str) -> None:
    labelled = fetch(machine, url, label="custom_model")
    assert labelled.path.name == "url_custom_model"
    assert fetch(machine, url) == labelled
    other = fetch(machine, machine.site.add_download("/b", OTHER), label="custom_model")
    assert other.path.name.startswith("url_custom_model-")
    assert fetch(machine, url).path == labelled.path
    with pytest.raises(UsageError, match="no name for a folder"):
        fetch(machine, machine.site.add_download("/c", OTHER), label="../x")


def test_unchecked_certificates_are_announced_and_for_urls_alone(
    machine: Machine, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    machine.site.add_repo("org/m", {"config.json": b"{}", "model.safetensors": WEIGHTS})
    lax = set_(machine.pipeline(), verify_ssl=False, origins={"verify_ssl": "config.yaml:7"})
    fetch(lax, "hf:org/m")
    assert "certificates" not in caplog.text
    fetch(lax, f"{url}#sha256={HEX}")
    assert f"url:{url}: certificates are not checked (verify_ssl: false, config.yaml:7)" in (
        caplog.text
    )
    request = lax.catalog.request(url)
    assert not by_url.transfer_for(request, lax.transfer, lax.settings).policy.verify_ssl
    other = lax.catalog.request("hf:org/m")
    assert by_url.transfer_for(other, lax.transfer, lax.settings) is lax.transfer
