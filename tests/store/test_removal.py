"""A plan is carried out step by step, and each step looks once more."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lease_holders import lease_holders

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store import mending
from pytest_potmodels.store.eviction import Plan, Rules, plan
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
