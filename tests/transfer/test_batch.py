import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import PurePosixPath
from typing import Any

import pytest
from standin import Stalled, Status

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.transfer import Deadline

CONTENTS = {f"{number}.bin": os.urandom(200_000) for number in range(8)}


def _files(bench: Any) -> Any:
    return bench.promised(bench.site.add_repo("org/eight", CONTENTS))


def test_as_many_files_as_allowed_move_at_once(bench: Any) -> None:
    files = _files(bench)
    bench.site.fault(Stalled(at=100_000, seconds=0.7), ".bin", server="cdn", times=None)
    started = time.monotonic()
    bench.transfer(jobs=8).fetch_all(files, bench.stage, Deadline(30))
    assert time.monotonic() - started < 8 * 0.7


def test_one_job_moves_the_largest_first(bench: Any) -> None:
    files = [
        replace(bench.plain(b"x" * size), path=PurePosixPath(f"{size}")) for size in (5, 900, 70)
    ]
    files = [
        replace(file, url=bench.site.add_download(f"/{file.path}", b"x" * int(str(file.path))))
        for file in files
    ]
    sized = [replace(file, size=int(str(file.path))) for file in files]
    bench.transfer(jobs=1).fetch_all(sized, bench.stage, Deadline(30))
    assert [request.path for request in bench.site.log] == ["/900", "/70", "/5"]


def test_the_first_error_stops_the_others(bench: Any) -> None:
    files = _files(bench)
    bench.site.fault(Stalled(at=100_000), "1.bin", server="cdn", times=None)
    bench.site.fault(Status(404), "2.bin", server="cdn", times=None)
    started = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        bench.transfer(jobs=2, read_timeout=30).fetch_all(files, bench.stage, Deadline(60))
    assert time.monotonic() - started < 10
    assert caught.value.reason is Reason.UNKNOWN_MODEL
    assert not any("potmodels-transfer" in thread.name for thread in threading.enumerate())


def test_what_has_come_before_an_error_is_kept_for_the_next_run(bench: Any) -> None:
    files = _files(bench)
    bench.site.fault(Status(404), "7.bin", server="cdn")
    with pytest.raises(UnavailableError):
        bench.transfer(jobs=1).fetch_all(files, bench.stage, Deadline(60))
    bench.transfer().fetch_all(files, bench.stage, Deadline(60))
    for name in CONTENTS:
        assert bench.site.log.gets(name) == (2 if name == "7.bin" else 1)


def test_a_body_that_falls_silent_late_is_cut_at_the_deadline(bench: Any, scripted: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n"
    url = scripted([(0, head), (2.5, b"some bytes")])
    started = time.monotonic()
    error = bench.fails(replace(bench.file, url=url), seconds=3, read_timeout=30)
    assert time.monotonic() - started < 4.5  # the read timeout alone would end it at 5.5
    assert error.reason is Reason.TIMEOUT


def test_bytes_that_trickle_end_with_the_deadline(bench: Any, scripted: Any) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n"
    url = scripted([(0, head), *[(0.1, b"x")] * 600])
    started = time.monotonic()
    error = bench.fails(replace(bench.file, url=url), seconds=1)
    assert time.monotonic() - started < 10
    assert error.reason is Reason.TIMEOUT
    assert re.search(r"\d+ bytes (of its reply when|of 400)", error.message)


INTERRUPTED = """
import signal, sys
from pathlib import Path, PurePosixPath
from pytest_potmodels.artifacts import RemoteFile
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy

# A shell that starts its tests in the background has them ignore the signal.
signal.signal(signal.SIGINT, signal.default_int_handler)
url, stage = sys.argv[1:]
transfer = Transfer(TransferPolicy(read_timeout=50), token=lambda: None)
try:
    transfer.fetch_all([RemoteFile(PurePosixPath("x"), url)], Path(stage), Deadline(100))
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to one process")
def test_an_interrupt_does_not_wait_for_a_stalled_server(bench: Any) -> None:
    url = bench.plain(bench.weights).url
    bench.site.fault(Stalled(at=100_000), "/f.bin", times=None)
    command = [sys.executable, "-c", INTERRUPTED, url, str(bench.stage)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        part = bench.stage / "x.part"
        while not (part.exists() and part.stat().st_size == 100_000):
            assert child.poll() is None, child.communicate()
            time.sleep(0.05)
        interrupted = time.monotonic()
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=60)[0] == "interrupted\n"
    assert time.monotonic() - interrupted < 10
