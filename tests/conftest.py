"""Fixtures of all tests."""

import signal
from collections.abc import Iterator

import pytest
from standin import StandIn


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


@pytest.fixture
def site() -> Iterator[StandIn]:
    """A hub, its CDN and download.pytorch.org on this machine, empty at first."""
    with StandIn() as servers:
        yield servers
