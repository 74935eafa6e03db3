"""A remote that does not answer, refuses, or cannot be reached at all: said once, and no hang."""

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from s3 import S3Server, forget_clients, offline_environ, require_s3

from pytest_potmodels.errors import MissingPackageError, Reason, UnavailableError
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy
from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.remote.opening import without_credentials


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of an S3 server that takes connections and never says a word."""
    require_s3()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        for name, value in offline_environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.getsockname()[1]}")
        forget_clients()
        yield "s3://bucket/models"


def transfer(**policy: Any) -> Transfer:
    return Transfer(TransferPolicy(**policy), token=lambda: None)


def test_a_server_that_is_silent_costs_the_deadline_and_no_more(silent: str) -> None:
    started = time.monotonic()
    with (
        transfer().remote(silent, Deadline(1.5)) as folder,
        pytest.raises(
            UnavailableError, match=r"s3://bucket/models failed at reading x: not done"
        ) as e,
    ):
        folder.read("x", 0, 10)
    assert e.value.reason is Reason.TIMEOUT
    assert time.monotonic() - started < 10


def test_what_was_silent_once_is_not_asked_again_in_the_session(
    silent: str, tmp_path: Path
) -> None:
    with (
        transfer(session_dir=tmp_path).remote(silent, Deadline(1)) as folder,
        pytest.raises(UnavailableError),
    ):
        folder.read("x", 0, 10)
    other = transfer(session_dir=tmp_path)  # as another process has it
    with other.remote(silent, Deadline(60)) as folder:
        assert not folder.is_open
        with pytest.raises(UnavailableError, match="given up at"):
            folder.read("x", 0, 10)
    assert other.counter.snapshot().requests == 0


def test_stop_ends_a_wait(silent: str) -> None:
    network = transfer()
    threading.Timer(0.5, network.stop).start()
    started = time.monotonic()
    with network.remote(silent, Deadline(60)) as folder, pytest.raises(StoppedError):
        folder.read("x", 0, 10)
    assert time.monotonic() - started < 20


def test_a_closed_network_lets_nothing_through(tmp_path: Path) -> None:
    network = transfer(blocked="--pot-offline")
    with network.remote(str(tmp_path), Deadline(5)) as folder:
        assert not folder.is_open
        with pytest.raises(UnavailableError, match="--pot-offline"):
            folder.read("x", 0, 10)


def test_a_package_that_is_missing_is_named_with_its_extra() -> None:
    code = (
        "import sys; sys.modules['s3fs'] = None\n"
        "from pytest_potmodels.transfer.remote.opening import open_backend\n"
        "open_backend('s3://KEYKEYKEY:SECRET@bucket/models')"
    )
    run = [sys.executable, "-c", code]
    said = subprocess.run(run, capture_output=True, text=True, check=False).stderr
    assert "MissingPackageError: The remote s3://bucket/models needs a Python package" in said
    assert "pip install 'pytest-potmodels[s3]'" in said
    assert "SECRET" not in said


@pytest.mark.skipif(find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_another_package_is_named_as_it_is_installed() -> None:
    with (
        transfer().remote("gs://bucket/models", Deadline(5)) as folder,
        pytest.raises(MissingPackageError) as caught,
    ):
        folder.read("x", 0, 10)
    assert caught.value.remedy == "pip install gcsfs"


def test_keys_in_the_address_open_the_bucket(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    s3.make("with-keys")
    with transfer().remote("s3://KEYKEYKEY:SEC%2FRET@with-keys/models", Deadline(20)) as folder:
        folder.write("x", b"data")
        assert folder.read("x", 0, 10) == b"data"
        assert folder.name == "s3://with-keys/models"
    assert s3.files.cat_file("with-keys/models/x") == b"data"


def test_without_keys_the_error_says_so(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    forget_clients()
    with (
        transfer().remote("s3://no-keys/models", Deadline(20)) as folder,
        pytest.raises(UnavailableError, match="credentials") as caught,
    ):
        folder.read("x", 0, 10)
    assert "POT_REMOTE=none" in caught.value.remedy


def test_requests_are_counted_and_a_folder_of_this_machine_is_none(
    s3: S3Server, tmp_path: Path
) -> None:
    url = s3.make("counted")
    network = transfer()
    for address in (url, str(tmp_path)):
        with network.remote(address, Deadline(20)) as folder:
            folder.write("x", b"data")
            folder.read("x", 0, 10)
    counted = network.counter.snapshot()
    assert (counted.requests, counted.bytes) == (2, 4)
    assert set(counted.by_host) == {url}


def test_a_refusal_is_an_absence_that_is_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder_ = tmp_path / "closed"
    folder_.mkdir(mode=0o000)
    try:
        list(folder_.iterdir())
    except PermissionError:
        pass
    else:
        pytest.skip("this user may read anything")
    with transfer().remote(str(folder_), Deadline(5)) as folder:
        assert folder.read("x", 0, 10) is None
        assert folder.read("y", 0, 10) is None
    said = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert len(said) == 1
    assert "refuses reading x" in said[0].getMessage()


def test_credentials_are_taken_out_of_what_a_library_says() -> None:
    url = "sftp://somebody:pass%2Fword@host/models"
    for said in ("somebody:pass%2Fword@host", "password pass/word is wrong", "pass%2Fword"):
        assert "word@" not in without_credentials(said, url)
        assert "pass/" not in without_credentials(said, url)
    assert without_credentials("host is away", url) == "host is away"
