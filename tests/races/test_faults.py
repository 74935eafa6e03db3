"""A network that fails, through the whole pipeline: what is admitted, and what is said."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest
from machine import request
from standin import (
    Dropped,
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
    PotModelsError,
    Reason,
    UnavailableError,
)
from pytest_potmodels.fallback import obtain

HALF = 200_000
SHORT = {"read_timeout": 0.4}

#: Wrong bytes, in every way that the stand-in knows.
WRONG: dict[str, Any] = {
    "a flipped byte": (FlippedByte(at=HALF), {"path": "model.safetensors"}),
    "a flipped byte in a small file": (FlippedByte(at=1), {"path": "config.json"}),
    "a short file": (ShortReply(size=HALF), {"path": "model.safetensors", "server": "cdn"}),
    "another etag": (WrongEtag(), {"path": "model.safetensors", "server": "hub"}),
}
#: No bytes, or not all of them: with the reasons that may be given.
BROKEN: dict[str, Any] = {
    "500": (Status(500), {"path": "model.safetensors"}, {Reason.SERVER}),
    "429": (Status(429, retry_after="0.2"), {"path": "model.safetensors"}, {Reason.SERVER}),
    "dropped": (Dropped(), {"path": "model.safetensors"}, {Reason.OFFLINE, Reason.SERVER}),
    "truncated": (Truncated(at=HALF), {"server": "cdn"}, {Reason.SERVER, Reason.OFFLINE}),
    "stalled": (Stalled(at=HALF), {"server": "cdn"}, {Reason.TIMEOUT}),
    "hanging": (Hang(), {"path": "model.safetensors", "server": "cdn"}, {Reason.TIMEOUT}),
    "500 for the listing": (Status(500), {"path": "/api/models/"}, {Reason.SERVER}),
    "429 for the listing": (
        Status(429, retry_after="0"),
        {"path": "/api/models/"},
        {Reason.SERVER},
    ),
    "a dropped listing": (
        Dropped(),
        {"path": "/api/models/"},
        {Reason.OFFLINE, Reason.SERVER},
    ),
    "a hanging listing": (Hang(), {"path": "/api/models/"}, {Reason.TIMEOUT}),
}

#: A server that always breaks off in the middle is got round in the end; these are not.
ENDLESS = {**BROKEN}
ENDLESS["truncated"] = (Truncated(at=0), *BROKEN["truncated"][1:])
ENDLESS["stalled"] = (Stalled(at=0), *BROKEN["stalled"][1:])


@pytest.mark.parametrize("fault", [*WRONG, *BROKEN])
def test_what_happens_once_is_overcome(bench: Any, fault: str) -> None:
    kind, where, *_ = {**WRONG, **BROKEN}[fault]
    bench.site.fault(kind, **where)
    stored = bench.machine.acquire(bench.name, **SHORT)
    assert bench.is_right(stored)
    assert bench.machine.store.verify(stored, whole=True) == ()
    assert bench.machine.quarantine() == []


def test_a_download_that_breaks_off_goes_on_where_it_was(bench: Any) -> None:
    bench.site.fault(Truncated(at=HALF), server="cdn")
    assert bench.is_right(bench.machine.acquire(bench.name))
    assert bench.site.log.bytes_sent(bench.weights) <= 1.2 * 400_000


def test_a_server_that_cannot_resume_is_asked_for_all_of_it(bench: Any) -> None:
    bench.site.fault(NoRange(), server="cdn", times=None)
    bench.site.fault(Truncated(at=HALF), server="cdn")
    assert bench.is_right(bench.machine.acquire(bench.name))


@pytest.mark.parametrize("fault", WRONG)
def test_wrong_bytes_for_ever_are_never_admitted_and_never_a_mock(bench: Any, fault: str) -> None:
    kind, where = WRONG[fault]
    bench.site.fault(kind, **where, times=None)
    pipeline = bench.machine.pipeline()
    with pytest.raises(DigestMismatchError) as caught:
        obtain(pipeline, request(bench.name), mock="missing")
    assert caught.value.exit_code == 4
    assert bench.machine.visible() == []
    assert caught.value.expected != caught.value.found
    bench.site.heal()
    assert bench.is_right(bench.machine.acquire(bench.name))


@pytest.mark.parametrize("fault", ENDLESS)
def test_what_goes_on_for_ever_ends_in_time_with_its_reason(bench: Any, fault: str) -> None:
    kind, where, reasons = ENDLESS[fault]
    bench.site.fault(kind, **where, times=None)
    started = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        bench.machine.acquire(bench.name, **SHORT, retries=0, timeout=4)
    assert time.monotonic() - started < 8
    assert caught.value.reason in reasons, caught.value
    assert "127.0.0.1" in caught.value.message
    assert caught.value.remedy
    assert bench.machine.visible() == []
    bench.site.heal()
    assert bench.is_right(bench.machine.acquire(bench.name))


@pytest.mark.parametrize("fault", ["stalled", "hanging", "a hanging listing"])
def test_the_deadline_holds_whatever_the_retries(bench: Any, fault: str) -> None:
    kind, where, _ = ENDLESS[fault]
    bench.site.fault(kind, **where, times=None)
    started = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        bench.machine.acquire(bench.name, timeout=1, retries=1000, read_timeout=30)
    assert time.monotonic() - started < 5
    assert caught.value.reason is Reason.TIMEOUT


def test_what_cannot_be_had_is_answered_with_an_announced_mock(
    bench: Any, caplog: pytest.LogCaptureFixture
) -> None:
    kind, where, reasons = ENDLESS["500"]
    bench.site.fault(kind, **where, times=None)
    pipeline = bench.machine.pipeline(**SHORT, retries=0, timeout=4)
    got = obtain(pipeline, request(bench.name), mock="missing")
    assert got.model.is_mock
    assert got.substitute in reasons
    assert got.why
    assert any(record.levelno == logging.WARNING for record in caplog.records)
    with pytest.raises(UnavailableError):
        obtain(pipeline, request(bench.name), mock="never")
    with pytest.raises(UnavailableError):
        obtain(pipeline, request(bench.name), mock="missing", required=True)


def test_a_model_that_is_too_large_is_refused_before_a_byte_of_it_moves(bench: Any) -> None:
    pipeline = bench.machine.pipeline(max_bytes=399_999)
    with pytest.raises(ModelTooLargeError) as caught:
        obtain(pipeline, request(bench.name), mock="missing")
    assert "--pot-max-size" in str(caught.value)
    assert bench.site.log.select(bench.weights) == []
    assert bench.machine.visible() == []


def everything_in(folder: Path) -> str:
    """Names and contents of a whole tree."""
    texts = [path.read_text(errors="replace") for path in folder.rglob("*") if path.is_file()]
    return "\n".join([*texts, *map(str, folder.rglob("*"))])


@pytest.mark.parametrize("fails", [False, True])
def test_no_token_is_written_anywhere(
    bench: Any,
    caplog: pytest.LogCaptureFixture,
    fails: bool,  # noqa: FBT001
) -> None:
    caplog.set_level("DEBUG")
    token = "hf_thisIsVerySecret0123456789"  # noqa: S105
    bench.site.add_repo("org/private", bench.files, private=True, token=token)
    said = ""
    if fails:
        bench.site.fault(Status(500), server="cdn", times=None)
    try:
        stored = bench.machine.acquire("huggingface:org/private", token=token, retries=1)
        assert bench.is_right(stored)
        assert not fails
    except PotModelsError as error:
        assert fails
        said = str(error) + repr(error)
    assert f"Bearer {token}" in bench.site.log.authorizations("hub")
    assert bench.site.log.authorizations("cdn") == []
    for text in (everything_in(bench.machine.cache), caplog.text, said):
        assert token not in text
    assert "Signature=" not in everything_in(bench.machine.cache)


def test_a_private_model_without_a_token_is_private(bench: Any) -> None:
    bench.site.add_repo("org/private", bench.files, private=True, token="secret")  # noqa: S106
    with pytest.raises(UnavailableError) as caught:
        bench.machine.acquire("huggingface:org/private")
    assert caught.value.reason is Reason.PRIVATE


def test_a_hub_that_is_gone_is_offline(bench: Any, closed_port: int) -> None:
    started = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        bench.machine.acquire(bench.name, hub=f"http://127.0.0.1:{closed_port}")
    assert time.monotonic() - started < 5
    assert caught.value.reason is Reason.OFFLINE
