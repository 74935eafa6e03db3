"""A plan of eviction: a pure function of what is there, the rules and the time."""

from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store.derived_manifest import DerivedModel, MadeFrom
from pytest_potmodels.store.eviction import DAY, IN_PLACE, Item, Plan, Rules, in_days, plan

NOW = 1000 * DAY


def model(name: str, *, days: float, size: int = 10, held: str = "") -> Item:
    path = Path("models") / name
    stored = StoredModel(
        ModelId("huggingface", name), path, "language", "transformers",
        (StoredFile("f", size, name.encode().hex().rjust(64, "0")),),
    )  # fmt: skip
    return Item("model", name, name, path, size, NOW - days * DAY, held, stored)


def derived(key: str, of: Item | None, *, days: float, size: int = 5, held: str = "") -> Item:
    digest = of.digest if of else "gone"
    path = Path("derived") / key
    made = DerivedModel(key, path, (), {}, MadeFrom("huggingface", "m", None, digest), {})
    return Item("derived", key, key, path, size, NOW - days * DAY, held, made)


def leftover(name: str, *, days: float) -> Item:
    return Item("leftover", name, name, Path("partial") / name, 1, NOW - days * DAY)


def planned(*items: Item, **rules: Any) -> Plan:
    return plan(items, Rules(**rules), now=NOW)


def going(found: Plan) -> list[str]:
    return [step.item.name for step in found.remove]


OLD, NEW = model("old", days=40), model("new", days=2)
ALIGNED = derived("aligned", NEW, days=1)


def test_without_rules_only_what_is_of_no_use_goes() -> None:
    orphan = derived("orphan", None, days=3)
    stale, recent = leftover("stale", days=2), leftover("recent", days=0.5)
    found = planned(OLD, NEW, ALIGNED, orphan, stale, recent)
    assert going(found) == ["stale", "orphan"]
    assert [step.why for step in found.remove] == [
        "left over, 2 days old",
        "its model is not in the cache",
    ]
    assert {step.item.name: step.why for step in found.keep}["recent"] == "younger than a day"


def test_age_takes_what_was_not_used_and_what_was_made_from_it() -> None:
    of_old = derived("of-old", OLD, days=1)
    found = planned(OLD, NEW, ALIGNED, of_old, older_than=30 * DAY)
    assert going(found) == ["of-old", "old"]
    assert [step.why for step in found.remove] == ["made from old", "not used for 40 days"]
    assert found.freed == 15


def test_age_is_an_edge_that_does_not_count_itself() -> None:
    assert going(planned(OLD, older_than=40 * DAY)) == []
    assert going(planned(OLD, older_than=40 * DAY - 1)) == ["old"]


def test_size_takes_derived_folders_first_then_the_least_recently_used() -> None:
    third = model("third", days=20)
    assert going(planned(OLD, NEW, third, ALIGNED, max_size=35)) == []
    assert going(planned(OLD, NEW, third, ALIGNED, max_size=30)) == ["aligned"]
    assert going(planned(OLD, NEW, third, ALIGNED, max_size=20)) == ["aligned", "old"]
    assert going(planned(OLD, NEW, third, ALIGNED, max_size=0)) == [
        "aligned", "old", "third", "new",
    ]  # fmt: skip


def test_what_age_takes_is_not_counted_for_size() -> None:
    third = model("third", days=20)
    assert going(planned(OLD, NEW, third, max_size=20, older_than=30 * DAY)) == ["old"]


def test_size_stops_where_only_held_items_are_left() -> None:
    held = model("held", days=90, held="in use by process 1")
    found = planned(OLD, held, max_size=0)
    assert going(found) == ["old"]
    assert [(step.item.name, step.why) for step in found.keep] == [("held", "in use by process 1")]
    assert found.size == 20


def test_models_used_in_place_are_neither_counted_nor_taken() -> None:
    mine = model("mine", days=90, size=10**9, held=IN_PLACE)
    found = planned(mine, OLD, max_size=10, older_than=80 * DAY)
    assert going(found) == []
    assert found.size == 10


def test_a_minimal_age_protects_from_size() -> None:
    found = planned(OLD, NEW, ALIGNED, max_size=0, min_age=14 * DAY)
    assert going(found) == ["old"]
    assert {step.why for step in found.keep} == {"used in the last 14 days"}


def test_the_lock_takes_what_it_does_not_name_and_keeps_what_it_names() -> None:
    found = planned(OLD, NEW, ALIGNED, only=frozenset({"old"}), max_size=0)
    assert going(found) == ["aligned", "new"]
    assert {step.item.name: step.why for step in found.remove}["new"] == "not in potmodels.lock"
    assert [step.why for step in found.keep] == ["in potmodels.lock"]


def test_what_is_kept_by_name_stays_whatever_else_is_asked() -> None:
    found = planned(OLD, NEW, max_size=0, older_than=0.0, keep=frozenset({"old"}))
    assert going(found) == ["new"]
    assert [step.why for step in found.keep] == ["kept by name"]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({}, ["stale", "ancient", "aligned"]),
        ({"older_than": 30 * DAY}, ["stale", "ancient"]),
        ({"max_size": 5}, ["stale", "ancient"]),
    ],
    ids=["all", "age", "size"],
)
def test_derived_alone_looks_at_no_model(rules: dict[str, Any], expected: list[str]) -> None:
    ancient = derived("ancient", OLD, days=90)
    found = planned(OLD, NEW, ALIGNED, ancient, leftover("stale", days=3), derived=True, **rules)
    assert going(found) == expected


def test_what_is_in_use_and_was_made_from_a_model_that_goes_stays() -> None:
    of_old = derived("of-old", OLD, days=90, held="in use by process 1")
    assert going(planned(OLD, of_old, older_than=DAY)) == ["old"]


def test_a_plan_is_frozen_and_the_order_of_what_is_there_is_nothing_to_it() -> None:
    items = (OLD, NEW, ALIGNED, leftover("stale", days=2))
    found = planned(*items, max_size=0)
    assert found == planned(*reversed(items), max_size=0)
    with pytest.raises(FrozenInstanceError):
        found.size = 0  # type: ignore[misc]


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "less than a minute"), (60, "1 minute"), (7200, "2 hours"), (DAY, "1 day")],
)
def test_ages_are_said_in_their_largest_unit(seconds: float, said: str) -> None:
    assert in_days(seconds) == said


def test_a_use_in_the_future_protects_from_no_size() -> None:
    ahead = model("ahead", days=-0.001)
    assert going(planned(ahead, max_size=0)) == ["ahead"]
    assert going(planned(ahead, max_size=0, min_age=DAY)) == []


def test_what_is_left_over_goes_for_room_before_anything_that_works() -> None:
    stale, recent = leftover("stale", days=2), leftover("recent", days=0.5)
    assert going(planned(OLD, ALIGNED, stale, recent, max_size=16, sweep=False)) == ["stale"]
    assert going(planned(OLD, ALIGNED, stale, max_size=17, sweep=False)) == []
    assert going(planned(OLD, stale, max_size=1, sweep=False, derived=True)) == []
