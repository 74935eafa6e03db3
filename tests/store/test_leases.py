"""What a running process uses is not removed; what a dead one used is."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.leases import Leases, let_go

CHILD = str(Path(__file__).with_name("child_lease.py"))
POOR_KERNEL = str(Path(__file__).with_name("poor_kernel.py"))


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = Layout.at(tmp_path / "cache")
    layout.prepare()
    return layout


@pytest.fixture
def user(layout: Layout) -> Iterator[Callable[..., Any]]:
    """Start a process that uses some entries."""
    children = []

    def start(*names: str) -> Any:
        child = subprocess.Popen(
            [sys.executable, CHILD, str(layout.root), *names],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == f"taken {' '.join(names)}\n"
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()


def end(child: Any) -> None:
    child.communicate("\n", timeout=30)
    assert child.returncode == 0


def users(layout: Layout, name: str) -> list[int]:
    return [each.process for each in Leases(layout).look() if each.covers(name)]


def test_a_lease_names_its_process_and_what_it_uses(layout: Layout, user: Any) -> None:
    child = user("a", "b")
    (lease,) = Leases(layout).look()
    assert (lease.process, lease.names, lease.mine) == (child.pid, frozenset("ab"), False)
    assert str(lease).startswith(f"process {child.pid} on ")


def test_a_process_that_ends_leaves_nothing(layout: Layout, user: Any) -> None:
    end(user("a"))
    assert list(layout.leases.iterdir()) == []
    assert Leases(layout).look() == ()


@pytest.mark.skipif(os.name == "nt", reason="kill -9 is POSIX's")
def test_the_lease_of_a_killed_process_is_void_at_once_and_swept(layout: Layout, user: Any) -> None:
    child = user("a")
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert len(list(layout.leases.iterdir())) == 2
    assert Leases(layout).look() == ()
    assert list(layout.leases.iterdir()) == []


def test_the_next_lease_sweeps_what_killed_processes_left(layout: Layout, user: Any) -> None:
    child = user("a")
    child.kill()
    child.wait()
    Leases(layout).take("b")
    (place,) = layout.leases.glob("*.json")
    assert json.loads(place.read_text())["names"] == ["b"]


def test_all_stores_of_a_process_share_one_lease(layout: Layout) -> None:
    assert Leases(layout).take("a")
    assert not Leases(layout).take("a")
    assert Leases(layout).take("b")
    (lease,) = Leases(layout).look()
    assert lease.mine
    assert lease.names == frozenset("ab")
    let_go()
    assert Leases(layout).look() == ()


def test_what_was_let_go_can_be_taken_again_by_a_store_that_is_still_there(layout: Layout) -> None:
    leases = Leases(layout)
    leases.take("a")
    let_go()
    assert leases.take("a")
    assert users(layout, "a") == [os.getpid()]


def test_only_other_processes_count_unless_all_do(layout: Layout, user: Any) -> None:
    leases = Leases(layout)
    leases.take("mine")
    child = user("theirs")
    live = leases.look()
    leases.check_free("mine", "Mine", live, "others")
    leases.check_free("nobody's", "Nobody's", live, "all")
    leases.check_free("theirs", "Theirs", live, "none")
    with pytest.raises(StoreError, match=rf"Mine is in use by process {os.getpid()} "):
        leases.check_free("mine", "Mine", live, "all")
    with pytest.raises(StoreError, match=rf"Theirs is in use by process {child.pid} "):
        leases.check_free("theirs", "Theirs", live, "others")


def test_threads_that_take_at_once_have_one_lease(layout: Layout) -> None:
    names = [f"entry{number}" for number in range(20)]
    gate = threading.Barrier(len(names))
    new: list[bool] = []

    def take(name: str) -> None:
        gate.wait()
        new.append(Leases(layout).take(name))

    threads = [threading.Thread(target=take, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert new == [True] * len(names)
    (lease,) = Leases(layout).look()
    assert lease.names == frozenset(names)


def _in_a_fork(cache: Path, answers: Any, may_end: Any) -> None:
    leases = Leases(Layout.at(cache))
    answers.put((leases.take("ours"), leases.take("child's")))
    may_end.wait(30)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_has_a_lease_of_its_own(layout: Layout) -> None:
    Leases(layout).take("ours")
    forking = multiprocessing.get_context("fork")
    answers, may_end = forking.Queue(), forking.Event()
    child = forking.Process(target=_in_a_fork, args=(layout.root, answers, may_end))
    child.start()
    assert answers.get(timeout=30) == (True, True)
    assert sorted(users(layout, "ours")) == sorted([os.getpid(), child.pid or 0])
    assert users(layout, "child's") == [child.pid]
    may_end.set()
    child.join(30)
    assert users(layout, "ours") == [os.getpid()]
    assert users(layout, "child's") == []


def test_a_list_that_cannot_be_read_stands_for_everything(layout: Layout, user: Any) -> None:
    user("a")
    (place,) = layout.leases.glob("*.json")
    place.write_text("{")
    (lease,) = Leases(layout).look()
    assert lease.covers("anything")


def test_looking_creates_nothing(tmp_path: Path) -> None:
    assert Leases(Layout.at(tmp_path / "absent")).look() == ()
    assert list(tmp_path.iterdir()) == []


def test_a_cache_without_its_machine_folder_gives_leases(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "restored")
    layout.models.mkdir(parents=True)
    assert Leases(layout).take("a")


def test_a_cache_that_cannot_be_written_gives_none_and_the_run_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout = Layout.at(tmp_path / "cache")
    layout.models.mkdir(parents=True)
    layout.machine.write_text("in the way")  # As good as read-only, also for root.
    leases = Leases(layout)
    assert not leases.take("a")
    assert not leases.take("a")
    assert caplog.records == []
    with pytest.raises(StoreError, match="cannot be written"), leases.settled():
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_where_there_is_no_flock_a_lease_counts_for_a_day(layout: Layout) -> None:
    layout.leases.mkdir()
    recent, old = layout.leases / "1-abc.json", layout.leases / "2-abc.json"
    for place, process in ((recent, 1), (old, 2)):
        facts = {"process": process, "host": "other", "command": "pytest", "names": ["b"]}
        place.write_text(json.dumps(facts))
    os.utime(old, (1, 1))
    command = [sys.executable, POOR_KERNEL, "flock", CHILD, str(layout.root), "a"]
    ended = subprocess.run(command, input="\n", capture_output=True, text=True, check=False)
    if ended.returncode == 77:
        pytest.skip("the kernel does not take the filter")
    taken, used = ended.stdout.splitlines()
    assert taken == "taken a", ended.stderr
    assert json.loads(used)["1"] == ["b"]
    assert sorted(json.loads(used).values()) == [["a"], ["b"]]
