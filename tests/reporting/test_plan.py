"""The plan as lines for people and as JSON for programs."""

import json
from pathlib import Path
from typing import Any

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.reporting.plan import as_json, table
from pytest_potmodels.session.outlook import Outlook, Room, State
from pytest_potmodels.session.plan import Need

ROOM = Room(Path("/cache"), free=10**9, wanted=438 * 10**6)


def model(name: str, state: State, *tests: str, **facts: Any) -> Outlook:
    asked = ModelRequest(ModelId("huggingface", name), name, "language")
    return Outlook(Need(asked, (name,), tests, required=True, by_mark=False), state, **facts)


FETCHED = model(
    "bert", "to fetch", "t::b", "t::a", revision="a" * 40, files=(("weights", 438 * 10**6),)
)
GONE = model("gone", "unavailable", "t::c", reason="offline", why="no\n route")
KNOWN = model("gpt2", "cached", "t::a", revision="v1", files=(("weights", 500),))


def test_columns_are_aligned_and_totals_follow() -> None:
    lines = table([FETCHED, GONE, KNOWN], ROOM)
    assert [line.text for line in lines] == [
        "model  id                revision  tests  required       size  state",
        "bert   huggingface:bert  aaaaaaaa      2  yes        438.0 MB  to fetch",
        "gone   huggingface:gone  -             1  yes         unknown  unavailable: offline: "
        "no route",
        "gpt2   huggingface:gpt2  v1            1  yes       500 bytes  cached",
        "3 tests with models, 3 models: 1 cached, 1 to fetch, 1 unavailable",
        f"438.0 MB to fetch, 1.0 GB free in {ROOM.folder}",
    ]
    assert [line.colour for line in lines[1:4]] == ["cyan", "yellow", "green"]


def test_a_disk_that_is_too_small_is_a_red_line() -> None:
    *_, warning = table([FETCHED], Room(Path("/cache"), free=100, wanted=101))
    assert warning.text.startswith("warning: that is not enough; free some space")
    assert warning.colour == "red"


def test_a_size_that_is_not_known_leaves_the_total_open() -> None:
    unknown = model("own", "to fetch", "t::a", files=(("weights", None),))
    assert table([FETCHED, unknown], ROOM)[-1].text.startswith("at least 438.0 MB to fetch, ")


def test_no_model_is_one_line_and_an_empty_array() -> None:
    assert [line.text for line in table([], ROOM)] == ["the selected tests need no model"]
    assert json.loads(as_json([])) == []


def test_json_is_sorted_and_has_what_every_listing_has() -> None:
    fetched, gone = json.loads(as_json([FETCHED, GONE]))
    assert fetched["tests"] == ["t::a", "t::b"]
    assert fetched.keys() >= {"name", "id", "source", "revision", "files", "kind", "size", "cached"}
    assert fetched.keys() == gone.keys()
    assert (gone["reason"], gone["size"], gone["files"]) == ("offline", None, [])
    assert "no\\n route" not in as_json([GONE])  # Messages hold times and ports; codes do not.
