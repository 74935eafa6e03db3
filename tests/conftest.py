"""Fixtures of all tests."""

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from made_once import cold, once
from s3 import S3Server, forget_clients, require_s3
from standin import StandIn

from pytest_potmodels.store.leases import let_go

__all__ = ["cold", "once"]


def pytest_configure() -> None:
    """Hear Ctrl-C, and let tests' own processes hear it: `make test &` has it ignored."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy of this machine knows nothing of servers on its loopback."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.fixture(autouse=True)
def _no_cache_of_the_user(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What is derived where a cache is read-only goes into the user's caches, if nobody says."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "user_caches"))
    for name in ("HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "TORCH_HOME"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def _leases_end_with_the_test() -> Iterator[None]:
    """What a test uses would be in use, and its files open, to the end of the whole run."""
    yield
    let_go()


@pytest.fixture
def site() -> Iterator[StandIn]:
    """A hub, its CDN and download.pytorch.org on this machine, empty at first."""
    with StandIn() as servers:
        yield servers


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """An S3 server, one for all tests of this process."""
    require_s3()
    with S3Server() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The S3 server, and the variables by which clients in this process find it."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in s3_server.environ().items():
        monkeypatch.setenv(name, value)
    forget_clients()
    return s3_server


@pytest.fixture(params=["a folder", pytest.param("S3", marks=pytest.mark.slow)])
def remote(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty remote, in a shared folder and on an S3 server.

    Tests that are to meet S3 in every run say so: `@both_remotes`.
    """
    if request.param == "S3":
        server: S3Server = request.getfixturevalue("s3")
        return f"{server.make(f'bucket-{uuid.uuid4().hex[:12]}')}/models"
    return str(tmp_path / "share")
