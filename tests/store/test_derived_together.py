"""Several processes want the same; one of them is killed."""

import json
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

KEY = "0123abcd-aligned-1"
CHILD = str(Path(__file__).with_name("child_derive.py"))
POOR_KERNEL = str(Path(__file__).with_name("poor_kernel.py"))
posix_only = pytest.mark.skipif(os.name == "nt", reason="kill -9 and fork are POSIX's")


def start(*before: str, **order: Any) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, *before, CHILD, json.dumps(order)]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def read(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline()


def go_on(child: subprocess.Popen[str]) -> None:
    assert child.stdin is not None
    child.stdin.write("go\n")
    child.stdin.flush()


@pytest.mark.parametrize("before", [(), (POOR_KERNEL, "flock")], ids=["flock", "no flock"])
def test_four_that_want_it_at_once_make_it_once(
    bench: Any, tmp_path: Path, before: tuple[str, ...]
) -> None:
    log = tmp_path / "writes"
    with ExitStack() as stack:
        order = {"cache": str(bench.shelf.cache), "log": str(log), "waits": True}
        children = [stack.enter_context(start(*before, **order)) for _ in range(4)]
        for child in children:
            if read(child) != "ready\n":
                assert child.wait() == 77, child.communicate()
                pytest.skip("this kernel does not let a process refuse itself flock")
        for child in children:
            go_on(child)
        found = [json.loads(child.communicate(timeout=60)[0]) for child in children]
    (maker,) = log.read_text().splitlines()
    assert int(maker) in {each["pid"] for each in found}
    assert {each["path"] for each in found} == {str(bench.shelf.layout.derived / KEY)}
    assert bench.store.verify(bench.store.find(KEY)) == ()
    assert bench.under_way() == []


@posix_only
def test_a_maker_that_is_killed_leaves_no_folder_and_the_next_begins_anew(bench: Any) -> None:
    with start(cache=str(bench.shelf.cache), stalls=True) as child:
        assert read(child) == "writing\n"
        (stage,) = bench.under_way()
        assert (stage / "weights.bin").read_bytes() == b"half"
        child.kill()
        child.wait()
    assert bench.store.find(KEY) is None
    assert bench.store.all() == []
    assert bench.shelf.store.leftovers() == [stage]
    made = bench.admit()
    assert bench.store.find(KEY) == made
    assert bench.stages != [stage]
    assert bench.under_way() == []


@posix_only
def test_a_waiter_takes_over_from_a_maker_that_is_killed(bench: Any) -> None:
    order = {"cache": str(bench.shelf.cache)}
    with start(**order, stalls=True) as maker:
        assert read(maker) == "writing\n"
        with start(**order, waits=True) as waiter:
            assert read(waiter) == "ready\n"
            go_on(waiter)
            with pytest.raises(subprocess.TimeoutExpired):
                waiter.wait(timeout=1)
            maker.kill()
            said, log = waiter.communicate(timeout=60)
    assert json.loads(said)["facts"] == {"left": []}
    assert f"held by process {maker.pid}" in log


@posix_only
def test_a_kill_before_any_change_to_the_disk_leaves_all_or_nothing(bench: Any) -> None:
    with start(cache=str(bench.shelf.cache), kills=True) as child:
        said, log = child.communicate(timeout=120)
    assert child.returncode == 0, log
    assert json.loads(said)["steps"] > 20
