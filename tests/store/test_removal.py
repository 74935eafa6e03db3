"""A plan is carried out step by step, and each step looks once more."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lease_holders import lease_holders

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store import mending
from pytest_potmodels.store.eviction import DAY, Plan, Rules, plan
from pytest_potmodels.store.leases import let_go
from pytest_potmodels.store.removal import Done, Removal
from pytest_potmodels.store.survey import survey

NAME = "huggingface:org/model"


@pytest.fixture
def planned(bench: Any) -> Plan:
    """All of a cache with one model and what was made from it is to go."""
    bench.admit(source=bench.shelf.admit(NAME))
    let_go()
    then = time.time() - 60
    for place in bench.shelf.layout.used("x").parent.iterdir():
        os.utime(place, (then, then))
    return whole(bench)


def whole(bench: Any) -> Plan:
    items = survey(bench.shelf.store, bench.store, heed="others")
    return plan(items, Rules(max_size=0), now=time.time())


def stored_of(found: Plan) -> StoredModel:
    """The model of a plan."""
    (stored,) = (s.item.of for s in found.remove if isinstance(s.item.of, StoredModel))
    return stored


def carried_out(bench: Any, found: Plan) -> list[Done]:
    return list(Removal(bench.shelf.store, bench.store, heed="others").carry_out(found))


@pytest.fixture
def user(bench: Any) -> Iterator[Callable[..., Any]]:
    """Start a process that uses entries."""
    with lease_holders(bench.shelf.cache) as start:
        yield start


def test_all_of_a_plan_is_done(bench: Any, planned: Plan) -> None:
    done = carried_out(bench, planned)
    assert [(each.step.item.what, each.kept) for each in done] == [("derived", ""), ("model", "")]
    assert bench.shelf.store.entries() == bench.store.all() == []
    assert bench.shelf.store.leftovers() == []
    for record in ("used", "came", "state"):
        assert list((bench.shelf.layout.machine / record).iterdir()) == []


def test_what_is_leased_after_the_plan_was_made_stays(bench: Any, planned: Plan, user: Any) -> None:
    derived, model = (step.item for step in planned.remove)
    child = user(model.name, f"derived-{derived.name}")
    done = carried_out(bench, planned)
    assert all(f"is in use by process {child.pid} on" in each.kept for each in done)
    assert not any(each.failed for each in done)
    assert model.path.exists()
    assert derived.path.exists()


def test_what_was_used_after_the_plan_was_made_stays(bench: Any, planned: Plan) -> None:
    assert bench.shelf.store.find_to_use(stored_of(planned).id) is not None
    let_go()
    first, second = carried_out(bench, planned)
    assert (first.kept, second.kept) == ("", "it was used meanwhile")


def test_what_is_gone_already_is_no_failure(bench: Any, planned: Plan) -> None:
    assert [each.kept for each in carried_out(bench, planned)] == ["", ""]
    assert not any(each.failed for each in carried_out(bench, planned))


def test_a_model_that_somebody_mends_stays(bench: Any, planned: Plan) -> None:
    stored = stored_of(planned)
    with bench.shelf.store.alone_with(stored, timeout=1):
        _, model = carried_out(bench, planned)
    assert "Waited too long for the lock" in model.kept
    assert stored.path.exists()


def test_a_disk_that_does_not_let_go_is_a_failure(bench: Any, planned: Plan) -> None:
    quarantine = bench.shelf.layout.quarantine
    quarantine.write_text("in the way")
    done = carried_out(bench, planned)
    assert all(each.failed for each in done)
    assert len(bench.shelf.store.entries()) == len(bench.store.all()) == 1


def test_a_lease_that_comes_during_the_removal_waits_and_finds_nothing(
    bench: Any, planned: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rename and the look at the leases are one step for who takes a lease."""
    store, stored = bench.shelf.store, stored_of(planned)
    found: list[Any] = []
    late = threading.Thread(target=lambda: found.append(store.find_to_use(stored.id)))
    real = mending.set_aside

    def set_aside(path: Path, layout: Any) -> Path:
        if path == stored.path:
            late.start()
            time.sleep(0.3)  # By now the other has found the entry and waits for its lease.
        return real(path, layout)

    monkeypatch.setattr(mending, "set_aside", set_aside)
    carried_out(bench, planned)
    late.join(30)
    assert found == [None]


def test_a_model_in_place_is_never_part_of_a_plan(
    bench: Any, tmp_path: Path, resolved: Callable[..., Any]
) -> None:
    stored = bench.shelf.admit(NAME)
    let_go()
    mine = tmp_path / "own"
    mine.mkdir()
    (mine / "f").write_bytes(b"mine")
    bench.shelf.store.take_in_place(resolved("file:own", {"f": b"mine"}, in_place=mine), mine)
    assert [step.item.path for step in whole(bench).remove] == [stored.path]


def test_a_leftover_that_is_gone_already_is_no_failure(bench: Any) -> None:
    places = [layout.quarantine / "bad-1" for layout in bench.store.layouts]
    for place in places:
        place.mkdir(parents=True)
    items = survey(bench.shelf.store, bench.store, heed="others")
    found = plan(items, Rules(), now=time.time() + 2 * DAY)
    for place in places:
        place.rmdir()
    assert [(each.kept, each.failed) for each in carried_out(bench, found)] == [("", False)]


def test_a_cache_is_looked_at_while_others_delete_from_it(bench: Any) -> None:
    aside, looked, ended = bench.shelf.layout.quarantine, threading.Event(), threading.Event()

    def come_and_go() -> None:
        while not ended.is_set():
            (aside / "bad-1" / "a" / "b" / "c").mkdir(parents=True)
            shutil.rmtree(aside / "bad-1")
            looked.wait(0.001)

    others = threading.Thread(target=come_and_go)
    others.start()
    try:
        for _ in range(300):
            found = survey(bench.shelf.store, bench.store, heed="others")
            assert [each for each in found if not each.last_used] == []  # Gone by then.
            looked.set()
    finally:
        ended.set()
        others.join()


def test_a_folder_beside_several_caches_has_no_orphans_of_one(bench: Any, tmp_path: Path) -> None:
    bench.second = tmp_path / "beside"
    orphan = bench.admit("ours")
    theirs = bench.admit("theirs")
    theirs.path.parent.joinpath("theirs").rename(_made(bench.second) / "theirs")
    bench.shelf.store.remove(bench.source())
    let_go()
    items = survey(bench.shelf.store, bench.store, heed="others")
    found = plan(items, Rules(), now=time.time())
    assert [step.item.path for step in found.remove] == [orphan.path]
    found = plan(items, Rules(derived=True), now=time.time())
    assert sorted(step.item.name for step in found.remove) == ["ours", "theirs"]


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own there")
def test_a_leftover_link_is_no_larger_than_itself(bench: Any, tmp_path: Path) -> None:
    home = _made(tmp_path / "home")
    (home / "f").write_bytes(bytes(10_000))
    os.utime(home / "f", (time.time() + DAY,) * 2)
    (_made(bench.shelf.layout.quarantine) / "bad-1").symlink_to(home)
    (item,) = survey(bench.shelf.store, bench.store, heed="others")
    assert item.size < 1000
    assert item.last_used <= time.time()
    found = plan([item], Rules(), now=time.time() + 2 * DAY)
    assert [each.kept for each in carried_out(bench, found)] == [""]
    assert (home / "f").stat().st_size == 10_000
