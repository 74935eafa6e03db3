import contextlib
import logging
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store import locks
from pytest_potmodels.store.locks import held, holder

CHILD = str(Path(__file__).with_name("child_lock.py"))
POOR_KERNEL = str(Path(__file__).with_name("poor_kernel.py"))


@contextlib.contextmanager
def process(*arguments: object) -> Iterator[Any]:
    command = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        try:
            yield child
        finally:
            child.kill()


@contextlib.contextmanager
def holding(*arguments: object) -> Iterator[Any]:
    with process(*arguments) as child:
        assert child.stdout.readline() == "held\n"
        yield child


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    return tmp_path / "org--model.lock"


def test_a_timeout_names_the_process_that_holds_the_lock(lock: Path) -> None:
    with holding(CHILD, lock, 1) as child:
        started = time.monotonic()
        with pytest.raises(StoreError) as caught, held(lock, timeout=0.3):
            pass
        assert 0.25 < time.monotonic() - started < 10
    said = f"the lock of org--model: held by process {child.pid} on {socket.gethostname()} for"
    assert said in caught.value.message
    assert re.search(r"for \d+ s\.$", caught.value.message)
    assert str(lock) in caught.value.remedy


def test_no_time_is_no_wait(lock: Path) -> None:
    with holding(CHILD, lock, 1), pytest.raises(StoreError), held(lock, timeout=0):
        pass
    with held(lock, timeout=0):
        pass


def test_a_waiter_says_for_whom_it_waits(
    lock: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "_FIRST_REPORT", 0.1)
    monkeypatch.setattr(locks, "_REPORT_EVERY", 0.1)
    caplog.set_level("INFO", "pytest_potmodels")
    with holding(CHILD, lock, 1) as child:
        with pytest.raises(StoreError), held(lock, timeout=0.35):
            pass
        first, second, *_ = caplog.records
    assert (first.levelno, second.levelno) == (logging.INFO, logging.WARNING)
    for said in (first, second):
        assert f"waiting for org--model: held by process {child.pid}" in said.message


def test_the_lock_of_a_killed_process_is_free_at_once(lock: Path) -> None:
    with holding(CHILD, lock, 1) as first, process(CHILD, lock, 60) as waiter:
        time.sleep(0.3)
        started = time.monotonic()
        first.kill()
        assert waiter.stdout.readline() == "held\n"
        assert time.monotonic() - started < 5
        assert f"process {waiter.pid}" in holder(lock)


def test_threads_of_one_process_exclude_each_other(lock: Path) -> None:
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _ in range(5):
            with held(lock, timeout=30):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 20


def test_the_lock_is_free_after_an_error_inside(lock: Path) -> None:
    with pytest.raises(KeyboardInterrupt), held(lock, timeout=1):
        raise KeyboardInterrupt
    with held(lock, timeout=0):
        assert f"process {os.getpid()}" in holder(lock)
    assert holder(lock) == "held by an unknown process"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"pid": 1}', '{"pid": 1, "host": 2, "since": ""}']
)
def test_a_holder_that_did_not_say_is_unknown(lock: Path, text: str) -> None:
    lock.with_suffix(".holder").write_text(text)
    assert holder(lock) == "held by an unknown process"


def test_a_folder_that_is_a_file_is_a_store_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    lock = tmp_path / "file" / "x.lock"
    with pytest.raises(StoreError, match="cannot be written"), held(lock, timeout=1):
        pass


def test_a_lock_file_that_is_a_folder_is_a_store_error(lock: Path) -> None:
    lock.mkdir()
    with pytest.raises(StoreError, match="cannot be written"), held(lock, timeout=1):
        pass


@contextlib.contextmanager
def holding_without_flock(lock: Path, seconds: float = 5) -> Iterator[Any]:
    with process(POOR_KERNEL, "flock", CHILD, lock, seconds) as child:
        said = child.stdout.readline()
        if not said and child.wait() == 77:
            pytest.skip("this kernel does not let a process refuse itself flock")
        assert said == "held\n"
        yield child


def test_without_flock_a_marker_file_is_the_lock(lock: Path) -> None:
    with holding_without_flock(lock) as first:
        assert lock.with_suffix(".soft").exists()
        with process(POOR_KERNEL, "flock", CHILD, lock, 0.3) as second:
            assert f"held by process {first.pid}" in second.stdout.readline()
        first.communicate("let go\n")
    assert not lock.with_suffix(".soft").exists()


def test_the_marker_of_a_killed_process_is_taken_over(lock: Path) -> None:
    with holding_without_flock(lock) as first:
        first.kill()
        first.wait()
    assert lock.with_suffix(".soft").exists()
    with holding_without_flock(lock, 20) as second:
        assert f"process {second.pid}" in holder(lock)
