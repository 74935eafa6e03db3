import logging
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from standin import RedirectTo, StandIn, Status

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import Deadline, TransferPolicy
from pytest_potmodels.transfer.client import Client
from pytest_potmodels.transfer.failures import TransientError
from pytest_potmodels.transfer.network import Network
from pytest_potmodels.transfer.scope import CancelScope
from pytest_potmodels.transfer.verdicts import Verdict, Verdicts

WEIGHTS = os.urandom(100_000)
TOKEN = "hf_verysecret"  # noqa: S105


@pytest.fixture
def policy(site: StandIn) -> TransferPolicy:
    return TransferPolicy(hub_endpoint=site.hub.url, read_timeout=5)


def _get(url: str, policy: TransferPolicy) -> tuple[int, bytes, Network]:
    network = Network.under(policy, lambda: TOKEN)
    scope = CancelScope(Deadline(20))
    with closing(Client(network)) as client, client.get(url, {}, scope) as reply:
        return reply.status, b"".join(reply.chunks), network


def test_a_redirect_leads_to_the_file_and_each_hop_is_counted(
    site: StandIn, policy: TransferPolicy
) -> None:
    site.add_repo("org/m", {"model.safetensors": WEIGHTS}, aliases=("m",))
    url = f"{site.hub.url}/m/resolve/main/model.safetensors"
    status, body, network = _get(url, policy)
    assert (status, body) == (200, WEIGHTS)
    count = network.counter.snapshot()
    assert count.requests == len(site.log) == 3
    assert count.bytes == len(WEIGHTS)


def test_the_token_goes_to_the_hub_and_nowhere_else(
    site: StandIn, policy: TransferPolicy, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    site.add_repo("org/m", {"model.safetensors": WEIGHTS}, private=True, token=TOKEN)
    _, body, network = _get(f"{site.hub.url}/org/m/resolve/main/model.safetensors", policy)
    assert body == WEIGHTS
    assert site.log.authorizations("hub") == [f"Bearer {TOKEN}"]
    assert site.log.authorizations("cdn") == []
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(network)
    ours = [each.getMessage() for each in caplog.records if "potmodels" in each.name]
    assert any("-> 302" in line for line in ours)
    assert not any("Signature" in line for line in ours)


@pytest.mark.parametrize("server", ["cdn", "downloads"])
def test_a_redirect_to_another_origin_loses_the_token(
    site: StandIn, policy: TransferPolicy, server: str
) -> None:
    site.add_repo("org/m", {"config.json": b"{}"}, private=True, token=TOKEN)
    site.add_download("/x", b"elsewhere")
    target = f"{getattr(site, server).url}/x"
    site.fault(RedirectTo(target), "config.json", server="hub")
    _get(f"{site.hub.url}/org/m/resolve/main/config.json", policy)
    assert len(site.log.select("/x", server=server)) == 1
    assert site.log.authorizations("hub")
    assert site.log.authorizations(server) == []


def test_a_stranger_cannot_lead_the_token_back_to_the_hub(
    site: StandIn, policy: TransferPolicy
) -> None:
    site.add_repo("org/m", {"config.json": b"{}"})
    url = site.add_download("/x", b"")
    site.fault(RedirectTo(f"{site.hub.url}/org/m/resolve/main/config.json"), "/x")
    _, body, _ = _get(url, policy)
    assert body == b"{}"
    assert site.log.authorizations() == []


def test_a_mirror_takes_the_place_of_the_hub_without_its_token(
    site: StandIn, policy: TransferPolicy
) -> None:
    site.add_repo("org/m", {"config.json": b"{}"})
    policy = replace(
        policy,
        hub_endpoint="https://huggingface.co",
        mirrors=(("https://huggingface.co", site.hub.url),),
    )
    _, body, _ = _get("https://huggingface.co/org/m/resolve/main/config.json", policy)
    assert body == b"{}"
    assert site.log.authorizations() == []


def test_mirrors_apply_to_redirects_too(site: StandIn, policy: TransferPolicy) -> None:
    site.add_repo("org/m", {"config.json": b"{}"}, private=True, token=TOKEN)
    site.add_download("/bucket/x", WEIGHTS)
    site.fault(RedirectTo("https://cdn.example/x"), "config.json", server="hub")
    policy = replace(policy, mirrors=(("https://cdn.example/", f"{site.downloads.url}/bucket/"),))
    _, body, _ = _get(f"{site.hub.url}/org/m/resolve/main/config.json", policy)
    assert body == WEIGHTS
    assert site.log.authorizations("downloads") == []


def test_a_mirrors_own_credentials_go_to_the_mirror(site: StandIn, policy: TransferPolicy) -> None:
    site.add_download("/x", b"body")
    mirror = site.downloads.url.replace("http://", "http://me:pass@")
    policy = replace(policy, mirrors=(("https://files.example", mirror),))
    _get("https://files.example/x", policy)
    assert site.log.authorizations() == ["Basic bWU6cGFzcw=="]


def test_redirects_in_a_circle_end(site: StandIn, policy: TransferPolicy) -> None:
    url = site.add_download("/x", b"")
    site.fault(RedirectTo("/x"), "/x", times=None)
    with pytest.raises(UnavailableError, match="more than 10 redirects") as caught:
        _get(url, policy)
    assert caught.value.reason is Reason.SERVER
    assert len(site.log) == 11


@pytest.mark.parametrize("location", ["ftp://host/x", "http://host:port/x", "file:///etc/passwd"])
def test_a_redirect_to_something_that_is_not_http_is_refused(
    site: StandIn, policy: TransferPolicy, location: str
) -> None:
    url = site.add_download("/x", b"")
    site.fault(RedirectTo(location), "/x")
    with pytest.raises(UnavailableError, match="a redirect to"):
        _get(url, policy)


def test_cookies_are_not_kept(site: StandIn, policy: TransferPolicy) -> None:
    url = site.add_download("/x", b"")
    cookie = {"Set-Cookie": "session=1; Path=/", "Location": "/y"}
    site.add_download("/y", b"here")
    site.fault(Status(302, headers=cookie), "/x")
    assert _get(url, policy)[1] == b"here"
    assert all("cookie" not in request.headers for request in site.log)


def test_a_proxy_is_asked_for_the_whole_url(
    site: StandIn, policy: TransferPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.add_download("/x", b"through the proxy")
    monkeypatch.setenv("HTTP_PROXY", site.downloads.url)
    _, body, _ = _get("http://hub.example/x", policy)
    assert body == b"through the proxy"
    assert [request.path for request in site.log] == ["http://hub.example/x"]


def test_a_lookup_that_hangs_after_the_verdict_does_not_hang_the_transfer(
    policy: TransferPolicy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Verdicts(tmp_path).put(Verdict.now("hub.example"))
    release = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: release.wait(60) and [])
    started = time.monotonic()
    with pytest.raises(TransientError, match="no answer from hub") as caught:
        _get("http://hub.example/x", replace(policy, session_dir=tmp_path, read_timeout=0.3))
    assert time.monotonic() - started < 10
    assert caught.value.unanswered
    release.set()


def test_headers_that_trickle_are_not_waited_for_without_end(
    policy: TransferPolicy, scripted: Any
) -> None:
    url = scripted([(0, b"HTTP/1.1 200 OK\r\nX-Slow: "), *[(0.1, b"x")] * 600])
    started = time.monotonic()
    with pytest.raises(TransientError, match=r"within 0\.9"):
        _get(url, replace(policy, read_timeout=0.3))
    assert time.monotonic() - started < 10


class _Downgrading(BaseHTTPRequestHandler):
    target = ""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", self.target)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    both = tmp_path / "both.pem"
    arguments = (
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
        "-addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout key.pem -out cert.pem"
    )
    subprocess.run(["openssl", *arguments.split()], check=True, capture_output=True, cwd=tmp_path)
    both.write_text((tmp_path / "key.pem").read_text() + (tmp_path / "cert.pem").read_text())
    return both


@pytest.fixture
def secure_server(certificate: Path, site: StandIn) -> Iterator[str]:
    """An https origin that redirects to plain http."""
    site.add_download("/x", b"plain")
    handler = type("Handler", (_Downgrading,), {"target": f"{site.downloads.url}/x"})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_https_is_not_redirected_down_to_http(
    site: StandIn,
    secure_server: str,
    policy: TransferPolicy,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(UnavailableError, match="a redirect from https to"):
        _get(f"{secure_server}/x", policy)
    assert len(site.log) == 0


def test_a_mirror_may_be_plain_http_where_the_user_says_so(
    site: StandIn,
    secure_server: str,
    policy: TransferPolicy,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    plain = f"{site.downloads.url}/"
    _, body, _ = _get(f"{secure_server}/x", replace(policy, mirrors=((plain, plain),)))
    assert body == b"plain"


def test_a_certificate_nobody_vouches_for_is_not_tried_again(
    secure_server: str, policy: TransferPolicy
) -> None:
    with pytest.raises(UnavailableError, match="certificate of") as caught:
        _get(f"{secure_server}/x", policy)
    assert caught.value.reason is Reason.SERVER


def test_unchecked_certificates_are_for_requests_without_a_credential(
    secure_server: str, policy: TransferPolicy, site: StandIn
) -> None:
    plain = f"{site.downloads.url}/"
    lax = replace(policy, verify_ssl=False, mirrors=((plain, plain),))
    assert _get(f"{secure_server}/x", lax)[1] == b"plain"
    own = secure_server.replace("https://", "https://me:pass@")
    for url, hub in ((own, site.hub.url), (secure_server, secure_server)):
        with pytest.raises(UnavailableError, match="certificate of"):
            _get(f"{url}/x", replace(lax, hub_endpoint=hub))


def test_where_only_https_will_do_no_redirect_leads_to_plain_http(
    site: StandIn, policy: TransferPolicy
) -> None:
    url = site.add_download("/x", b"here")
    for target in ("http://elsewhere.example/x", f"{site.downloads.url}/y"):
        site.fault(RedirectTo(target), "/x")
    with pytest.raises(UnavailableError, match="a redirect from http to 'http://elsewhere"):
        _get(url, replace(policy, https_only=True))
    site.add_download("/y", b"there")
    assert _get(url, replace(policy, https_only=True))[1] == b"there"
