"""Processes that are killed, at any moment, with a signal that nobody can catch."""

import itertools
import os
import shutil
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from machine import CHANGES, outcome, until
from standin import Stalled

pytestmark = pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")

ENTRY = {"config.json", "model.safetensors", "model_info.json"}
MOST_STEPS = 100


def part_of(bench: Any) -> Callable[[], int]:
    """How many bytes of the weights are on disk."""

    def size() -> int:
        parts = (bench.machine.cache / ".pot" / "partial").glob(f"*/{bench.weights}.part")
        return sum(part.stat().st_size for part in parts)

    return size


def test_a_download_that_is_killed_is_resumed(large: Any) -> None:
    large.site.fault(Stalled(at=15_000_000), large.weights, server="cdn")
    with large.machine.start(large.name, read_timeout=60) as child:
        until(lambda: part_of(large)() >= 15_000_000, child)
        child.kill()
        child.wait()
    assert large.machine.visible() == []
    assert large.machine.store.entries() == []
    stored = large.machine.acquire(large.name)
    assert large.is_right(stored)
    moved = large.site.log.bytes_sent(large.weights)
    assert moved <= 1.2 * len(large.files[large.weights])
    assert large.machine.store.leftovers() == []


def test_the_waiter_goes_on_at_once_where_the_killed_holder_stopped(large: Any) -> None:
    large.site.fault(Stalled(at=15_000_000), large.weights, server="cdn")
    with (
        large.machine.start(large.name, read_timeout=60) as holder,
        large.machine.start(large.name, waits=True) as waiter,
    ):
        until(lambda: part_of(large)() >= 15_000_000, holder)
        assert waiter.stdout.readline() == "ready\n"
        waiter.stdin.write("go\n")
        waiter.stdin.flush()
        time.sleep(0.8)
        assert waiter.poll() is None
        started = time.monotonic()
        holder.kill()
        found = outcome(waiter)
        assert time.monotonic() - started < 10
    assert f"held by process {holder.pid}" in found["log"]
    assert (found["fresh"], found["damages"]) == (True, 0)
    moved = large.site.log.bytes_sent(large.weights)
    assert moved <= 1.2 * len(large.files[large.weights])


@dataclass(frozen=True)
class Scene:
    """What a process does when it is killed, from what state of the cache it starts."""

    bench: Any
    prepare: Callable[[], None]
    name: str
    again: bool = False
    #: Whether a visible entry has to be whole: not if damage is what there was at first.
    stays_whole: bool = True

    def killed_before(self, step: int, events: Sequence[str]) -> bool:
        """Kill a process before its Nth change, and check what is left; False if it came through.

        Whatever anybody can see is whole, and the next process has the right bytes.
        """
        self.prepare()
        bench, machine = self.bench, self.bench.machine
        fate = {"dies_at": (step, events), "again": self.again}
        with machine.start(self.name, **fate) as child:
            said, log = child.communicate(timeout=60)
        # A kill may also come after the answer, while the process lets go of its lease.
        assert said or child.returncode, log
        assert machine.store.damaged_entries() == [], step
        for entry in machine.store.entries() if self.stays_whole else ():
            assert machine.store.verify(entry, whole=True) == (), step
        stored = machine.acquire(self.name)
        assert bench.is_right(stored), step
        assert {path.name for path in stored.path.iterdir()} >= ENTRY, step
        assert machine.store.verify(stored, whole=True) == (), step
        assert machine.visible() == [bench.entry.name], step
        return bool(child.returncode)


def cold(bench: Any) -> Scene:
    return Scene(bench, lambda: shutil.rmtree(bench.machine.cache, ignore_errors=True), bench.name)


def forced(bench: Any) -> Scene:
    def prepare() -> None:
        bench.machine.acquire(bench.name)

    return Scene(bench, prepare, bench.name, again=True)


def damaged(bench: Any) -> Scene:
    def prepare() -> None:
        bench.machine.acquire(bench.name)
        bench.flip()

    return Scene(bench, prepare, bench.name, stays_whole=False)


def under_another_name(bench: Any) -> Scene:
    def prepare() -> None:
        shutil.rmtree(bench.machine.cache, ignore_errors=True)
        bench.machine.acquire(bench.name)

    return Scene(bench, prepare, "huggingface:old-name")


SCENES = [cold, forced, damaged, under_another_name]


@pytest.mark.parametrize("scene", [cold, damaged])
def test_a_kill_before_any_rename_leaves_a_whole_entry_or_none(bench: Any, scene: Any) -> None:
    played = scene(bench)
    steps = itertools.count(1)
    died = list(itertools.takewhile(lambda n: played.killed_before(n, ["os.rename"]), steps))
    assert 2 <= len(died) < MOST_STEPS


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_a_kill_before_any_change_leaves_a_whole_entry_or_none(bench: Any, scene: Any) -> None:
    played = scene(bench)
    steps = itertools.count(1)
    died = list(itertools.takewhile(lambda n: played.killed_before(n, CHANGES), steps))
    assert 10 <= len(died) < MOST_STEPS


def test_a_kill_between_the_last_byte_and_the_rename_moves_no_byte_again(bench: Any) -> None:
    with bench.machine.start(bench.name, dies_at=(1, ["os.chmod"])) as child:
        child.communicate(timeout=60)
    assert child.returncode == -signal.SIGKILL
    assert bench.machine.visible() == []
    stored = bench.machine.acquire(bench.name)
    assert bench.is_right(stored)
    assert bench.site.log.gets(bench.weights) == 1


def test_processes_that_are_killed_at_random_leave_nothing_half_done(large: Any) -> None:
    for number in range(6):
        with large.machine.start(large.name, waits=True) as child:
            assert child.stdout.readline() == "ready\n"
            child.stdin.write("go\n")
            child.stdin.flush()
            time.sleep(0.05 * number)
            child.kill()
            child.wait()
        assert large.machine.store.damaged_entries() == []
        for entry in large.machine.store.entries():
            assert large.machine.store.verify(entry, whole=True) == ()
    assert large.is_right(large.machine.acquire(large.name))
