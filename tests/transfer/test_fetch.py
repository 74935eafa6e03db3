import json
import os
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from small_disks import small_disk_at
from standin import Dropped, Stalled, Status

from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.errors import ModelTooLargeError, Reason, StoreError, UnavailableError
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.bounded import StoppedError
from pytest_potmodels.transfer.progress import Progress

NAME = "model.safetensors"
TOKEN = "hf_verysecret"  # noqa: S105
CHILD = Path(__file__).with_name("child_fetch.py")


def _child(bench: Any, *extra: str) -> list[str]:
    file = bench.file
    listing = [[str(file.path), file.url, file.size, file.digests[0].value]]
    return [sys.executable, str(CHILD), str(bench.stage), json.dumps(listing), *extra]


def test_all_files_come_in_the_order_asked_for(bench: Any) -> None:
    contents = {"z/config.json": b"{}", "a.txt": b"a", NAME: bench.weights}
    files = bench.promised(bench.site.add_repo("org/several", contents))[::-1]
    transfer = bench.transfer()
    stored = transfer.fetch_all(files, bench.stage, Deadline(30))
    assert [file.path for file in stored] == [str(file.path) for file in files]
    for file in stored:
        assert (bench.stage / file.path).read_bytes() == contents[file.path]
    count = transfer.counter.snapshot()
    assert count.requests == len(bench.site.log)
    assert count.bytes == sum(map(len, contents.values()))


def test_nothing_to_fetch_is_nothing(bench: Any) -> None:
    assert bench.transfer().fetch_all([], bench.stage, Deadline(30)) == ()


def test_a_killed_process_is_resumed_by_the_next(bench: Any) -> None:
    data = os.urandom(20_000_000)
    bench.file = bench.promised(bench.site.add_repo("org/large", {NAME: data}))[0]
    bench.site.fault(Stalled(at=15_000_000), NAME, server="cdn")
    part = bench.stage / f"{NAME}.part"
    with subprocess.Popen(_child(bench)) as child:
        deadline = time.monotonic() + 60
        while not (part.exists() and part.stat().st_size >= 15_000_000):
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        child.kill()
    assert not (bench.stage / NAME).exists()
    assert bench.fetch() == data
    assert bench.site.log.bytes_sent(NAME) <= 1.2 * len(data)


def test_a_closed_network_makes_no_request(bench: Any) -> None:
    error = bench.fails(blocked="HF_HUB_OFFLINE=1")
    assert error.reason is Reason.OFFLINE
    assert "HF_HUB_OFFLINE=1" in error.message
    assert len(bench.site.log) == 0
    assert not bench.stage.exists()


def test_a_model_that_is_too_large_is_refused_before_a_byte_moves(bench: Any) -> None:
    error = bench.fails(max_bytes=399_999)
    assert isinstance(error, ModelTooLargeError)
    assert "--pot-max-size" in error.message
    assert len(bench.site.log) == 0


def test_a_disk_that_is_too_small_is_said_before_a_byte_moves(bench: Any) -> None:
    error = bench.fails(replace(bench.file, size=10**15))
    assert isinstance(error, StoreError)
    assert "1000.0 TB are needed" in error.message
    assert len(bench.site.log) == 0


@pytest.mark.parametrize("path", ["../outside", "/outside", "a/../../outside", "C:outside"])
def test_nothing_is_written_outside_the_stage(bench: Any, path: str) -> None:
    files = [replace(bench.file, path=PurePosixPath(path)), bench.file]
    with pytest.raises(StoreError, match="refused"):
        bench.transfer().fetch_all(files, bench.stage, Deadline(30))
    assert len(bench.site.log) == 0
    assert list(bench.stage.iterdir()) == []


def test_progress_tells_of_each_file_from_start_to_end(bench: Any) -> None:
    events: list[Progress] = []
    bench.leave(bench.weights[:300_000])
    bench.fetch(on_progress=events.append)
    assert events[0] == Progress(NAME, 300_000, 400_000, "started")
    assert events[-1] == Progress(NAME, 400_000, 400_000, "done")
    events.clear()
    bench.fetch(on_progress=events.append)
    assert events == [Progress(NAME, 400_000, 400_000, "done")]


def test_no_token_appears_in_any_error_or_log(bench: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    repo = bench.site.add_repo("org/private", {NAME: bench.weights}, private=True, token="other")  # noqa: S106
    error = bench.fails(bench.promised(repo)[0], token=TOKEN)
    assert error.reason is Reason.PRIVATE
    assert bench.site.log.authorizations("hub") == [f"Bearer {TOKEN}"]
    assert TOKEN not in str(error) + repr(error) + caplog.text


@pytest.mark.parametrize("fault", [Dropped(), Status(503), Stalled(at=10)])
def test_no_traceback_with_variables_shows_the_token(bench: Any, fault: Any) -> None:
    bench.site.fault(fault, times=None)
    transfer = bench.transfer(token=TOKEN, retries=0, read_timeout=0.3)
    with pytest.raises(UnavailableError) as caught:
        transfer.fetch_all([bench.file], bench.stage, Deadline(30))
    trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert bench.site.log.authorizations("hub") == [f"Bearer {TOKEN}"]
    assert TOKEN not in "".join(trace.format())


def test_an_unreachable_host_is_offline(bench: Any, closed_port: int) -> None:
    file = replace(bench.file, url=f"http://127.0.0.1:{closed_port}/x")
    error = bench.fails(file)
    assert isinstance(error, UnavailableError)
    assert error.reason is Reason.OFFLINE


def test_a_silent_host_costs_the_next_model_no_time(
    bench: Any, silent_server: str, tmp_path: Path
) -> None:
    file = replace(bench.file, url=f"{silent_server}/x")
    policy = {"retries": 1, "read_timeout": 0.5, "session_dir": tmp_path / "session"}
    first = bench.fails(file, **policy)
    assert first.reason is Reason.TIMEOUT
    started = time.monotonic()
    second = bench.fails(file, **{**policy, "read_timeout": 20})
    assert time.monotonic() - started < 5
    assert second.reason is Reason.TIMEOUT
    assert "is not reachable: no answer from" in second.message
    assert "2 tries over" in second.message


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk_at(tmp_path / "small", "1m") as place:
        yield place


def test_a_disk_that_fills_up_midway_gets_its_bytes_back(bench: Any, small_disk: Path) -> None:
    bench.stage = small_disk / "stage"

    def fill(event: Progress) -> None:
        if event.phase == "started":
            (small_disk / "somebody-else").write_bytes(bytes(800_000))

    error = bench.fails(on_progress=fill)
    assert isinstance(error, StoreError)
    assert "The disk is full" in error.message
    assert list(bench.stage.iterdir()) == []


def test_a_read_only_disk_is_said_so(bench: Any, small_disk: Path) -> None:
    bench.stage = small_disk / "stage"
    bench.stage.mkdir()
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    error = bench.fails()
    assert isinstance(error, StoreError)
    assert "does not take files" in error.message
    assert bench.site.log.bytes_sent(NAME) < len(bench.weights)


def test_a_folder_without_write_permission_is_said_so(bench: Any) -> None:
    bench.stage.mkdir(mode=0o555)
    if os.access(bench.stage, os.W_OK):
        pytest.skip("this user writes where it may not (root, or no POSIX modes)")
    assert "does not take files" in bench.fails().message


@pytest.mark.skipif(sys.platform == "win32", reason="no limit on file sizes to stand in for a disk")
def test_a_file_that_may_not_grow_ends_like_a_full_disk(bench: Any) -> None:
    child = subprocess.run(
        _child(bench, "--limit", "100000"), capture_output=True, text=True, check=True
    )
    assert child.stdout.startswith("StoreError: The disk is full")
    assert list(bench.stage.iterdir()) == []


def test_two_files_for_one_place_are_refused(bench: Any) -> None:
    other = RemoteFile(PurePosixPath(NAME.upper()), bench.file.url)
    with pytest.raises(StoreError, match="the same place"):
        bench.transfer().fetch_all([bench.file, other], bench.stage, Deadline(30))


def test_a_stop_ends_what_is_under_way_and_what_comes_later(bench: Any) -> None:
    bench.site.fault(Stalled(at=1000), NAME, server="cdn")
    part = bench.transfer(read_timeout=60).share(1)
    ended: list[BaseException] = []

    def fetch() -> None:
        try:
            part.fetch_all([bench.file], bench.stage, Deadline(60))
        except StoppedError as error:
            ended.append(error)

    thread = threading.Thread(target=fetch)
    thread.start()
    while not (bench.stage / f"{NAME}.part").exists():
        time.sleep(0.01)
    part.stop()
    thread.join(10)
    assert len(ended) == 1
    with pytest.raises(StoppedError):
        part.fetch_all([bench.file], bench.stage, Deadline(60))
    with pytest.raises(StoppedError):
        part.call(bench.site.hub.url, lambda *_: None, Deadline(60))


def test_a_share_ends_alone_and_has_its_part_of_the_connections(bench: Any) -> None:
    whole = bench.transfer(jobs=4)
    shares = [whole.share(models) for models in (1, 2, 3, 8)]
    assert [share.policy.jobs for share in shares] == [4, 2, 1, 1]
    shares[0].stop()
    (stored,) = shares[1].fetch_all([bench.file], bench.stage, Deadline(30))
    assert stored.size == len(bench.weights)
    assert whole.counter.snapshot().bytes == len(bench.weights)


def test_a_network_that_is_closed_later_is_closed_to_every_share(bench: Any) -> None:
    whole = bench.transfer()
    part = whole.share(2)
    whole.fetch_all([bench.file], bench.stage, Deadline(30))
    whole.close_network("--pot-network=warm")
    bench.site.log.clear()
    for each in (whole, part):
        with pytest.raises(UnavailableError, match="closed by --pot-network=warm"):
            each.call(bench.site.hub.url, lambda *_: None, Deadline(30))
    assert list(bench.site.log) == []


def test_events_name_the_model(bench: Any) -> None:
    events: list[Progress] = []
    transfer = bench.transfer(on_progress=events.append)
    for _ in range(2):  # The second time the file is there already.
        transfer.fetch_all([bench.file], bench.stage, Deadline(30), model="bert")
    assert {event.model for event in events} == {"bert"}
    assert [event.phase for event in events if event.phase != "moving"] == [
        "started",
        "done",
        "done",
    ]
