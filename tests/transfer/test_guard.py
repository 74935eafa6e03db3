import json
import logging
import time
from typing import Any
from urllib.request import urlopen

import httpx2
import pytest
from huggingface_hub import HfApi
from huggingface_hub.errors import RepositoryNotFoundError
from standin import Dropped, Hang, Status

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import Deadline

TOKEN = "hf_verysecret"  # noqa: S105


def _sha(endpoint: str, token: str | None, timeout: float) -> str | None:
    return HfApi(endpoint, token or False).model_info("org/model", timeout=timeout).sha


@pytest.mark.parametrize("fault", [Status(429, retry_after="1"), Status(503), Dropped(), Hang()])
def test_a_hub_client_is_called_again_after_a_fault(bench: Any, fault: Any) -> None:
    bench.site.fault(fault, "/api/models/")
    transfer = bench.transfer(token=TOKEN, read_timeout=1.0)
    sha = transfer.call(bench.site.hub.url, _sha, Deadline(20))
    assert len(sha) == 40
    assert transfer.counter.snapshot().requests == 2
    assert bench.site.log.authorizations("hub") == [f"Bearer {TOKEN}"] * 2


@pytest.mark.parametrize(
    ("fault", "reason", "says"),
    [
        (Status(500), Reason.SERVER, "500 Internal Server Error"),
        (Hang(), Reason.TIMEOUT, "no answer from"),
    ],
)
def test_a_fault_for_ever_ends_with_the_last_failure(
    bench: Any, fault: Any, reason: Reason, says: str
) -> None:
    bench.site.fault(fault, "/api/models/", times=None)
    transfer = bench.transfer(retries=1, read_timeout=0.5)
    with pytest.raises(UnavailableError, match=f"after 2 tries over .*{says}") as caught:
        transfer.call(bench.site.hub.url, _sha, Deadline(20))
    assert caught.value.reason is reason


def test_other_errors_pass_through_unchanged(bench: Any) -> None:
    def ask(endpoint: str, token: str | None, timeout: float) -> None:
        HfApi(endpoint, token or False).model_info("org/nobody", timeout=timeout)

    with pytest.raises(RepositoryNotFoundError):
        bench.transfer().call(bench.site.hub.url, ask, Deadline(20))
    assert len(bench.site.log) == 1


def test_a_call_that_ignores_its_timeout_is_left_behind(bench: Any) -> None:
    bench.site.fault(Hang(), "/api/models/", times=None)
    started = time.monotonic()

    def ask(endpoint: str, token: str | None, timeout: float) -> bytes:
        with urlopen(f"{endpoint}/api/models/org/model") as reply:
            return bytes(reply.read())

    with pytest.raises(UnavailableError) as caught:
        bench.transfer(retries=0, read_timeout=0.2).call(bench.site.hub.url, ask, Deadline(20))
    assert caught.value.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 10


def test_a_mirror_gets_the_call_without_the_token(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    hub = "https://huggingface.co"
    transfer = bench.transfer(
        token=TOKEN, hub_endpoint=hub, mirrors=((f"{hub}/", f"{bench.site.hub.url}/"),)
    )
    seen = transfer.call(hub, lambda *arguments: arguments, Deadline(20))
    assert seen == (bench.site.hub.url, None, 2.0)
    assert transfer.call(hub, _sha, Deadline(20))
    assert bench.site.log.authorizations() == []
    assert TOKEN not in caplog.text


def test_another_host_than_the_hub_gets_no_token(bench: Any) -> None:
    transfer = bench.transfer(token=TOKEN)
    seen = transfer.call(bench.site.downloads.url, lambda *arguments: arguments, Deadline(20))
    assert seen[1] is None


def test_a_closed_network_is_not_called(bench: Any) -> None:
    called: list[str] = []
    transfer = bench.transfer(blocked="--pot-network=block")
    with pytest.raises(UnavailableError, match="--pot-network=block"):
        transfer.call(bench.site.hub.url, lambda *_: called.append("x"), Deadline(20))
    assert called == []


def test_an_unreachable_host_is_not_called(bench: Any, closed_port: int) -> None:
    called: list[str] = []
    with pytest.raises(UnavailableError) as caught:
        bench.transfer().call(
            f"http://127.0.0.1:{closed_port}", lambda *_: called.append("x"), Deadline(20)
        )
    assert caught.value.reason is Reason.OFFLINE
    assert called == []


def test_the_timeout_is_never_longer_than_the_time_left(bench: Any) -> None:
    transfer = bench.transfer(read_timeout=30)
    seen = transfer.call(bench.site.hub.url, lambda *arguments: arguments, Deadline(5))
    assert 0 < seen[2] <= 5


def test_a_plain_http_client_is_understood_too(bench: Any) -> None:
    bench.site.fault(Status(503), "/api/models/")

    def ask(endpoint: str, token: str | None, timeout: float) -> Any:
        reply = httpx2.get(f"{endpoint}/api/models/org/model", timeout=timeout)
        return json.loads(reply.raise_for_status().content)

    assert bench.transfer().call(bench.site.hub.url, ask, Deadline(20))["id"] == "org/model"
