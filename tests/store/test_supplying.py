"""Supplies before a fetch: what they bring is not fetched, and what is wrong of it is said."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.store.supplying import Supplied

FILES = tuple(RemoteFile(PurePosixPath(name), f"https://hub.test/{name}") for name in "abc")


def supply(*names: str, data: bytes = b"right", asked: list[str] | None = None) -> Any:
    """Brings these of the files that it is asked for."""

    def bring(files: Sequence[RemoteFile], stage: Path) -> dict[str, str]:
        wanted = [str(file.path) for file in files]
        if asked is not None:
            asked.extend(wanted)
        for name in set(names) & set(wanted):
            (stage / name).write_bytes(data)
        return {"a": "adopted from /there"}

    return bring


@pytest.fixture
def fetched() -> list[str]:
    return []


@pytest.fixture
def fetch(fetched: list[str]) -> Callable[..., tuple[StoredFile, ...]]:
    """As transfer does: what lies there and is right stays, else it is replaced."""

    def bring(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        for file in files:
            place = stage / file.path
            if place.exists() and place.read_bytes() == b"right":
                continue
            fetched.append(str(file.path))
            place.with_suffix(".part").write_bytes(b"right")
            place.with_suffix(".part").replace(place)
        return tuple(StoredFile(str(file.path), 5, "0" * 64) for file in files)

    return bring


def test_what_supplies_bring_is_not_fetched_and_says_how_it_came(
    tmp_path: Path, fetch: Any, fetched: list[str]
) -> None:
    supplies = (("adopted", supply("a")), ("remote x", supply("b")))
    came = [file.came for file in Supplied(fetch, supplies)(FILES, tmp_path)]
    assert came == ["adopted from /there", "remote x", ""]
    assert fetched == ["c"]


def test_a_supply_is_asked_for_what_is_missing_only(tmp_path: Path, fetch: Any) -> None:
    (tmp_path / "a").write_bytes(b"right")  # A killed run had brought it.
    first: list[str] = []
    second: list[str] = []
    supplies = (("one", supply("b", asked=first)), ("two", supply("c", asked=second)))
    came = [file.came for file in Supplied(fetch, supplies)(FILES, tmp_path)]
    assert (first, second) == (["b", "c"], ["c"])
    assert came == ["", "one", "two"]


def test_a_supply_that_is_not_needed_is_not_asked(tmp_path: Path, fetch: Any) -> None:
    asked: list[str] = []
    supplies = (("one", supply("a", "b", "c")), ("two", supply(asked=asked)))
    Supplied(fetch, supplies)(FILES, tmp_path)
    assert asked == []


def test_wrong_bytes_are_fetched_and_that_is_said(
    tmp_path: Path, fetch: Any, fetched: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    (file, *_) = Supplied(fetch, (("adopted", supply("a", data=b"wrong")),))(FILES, tmp_path)
    assert file.came == ""
    assert fetched == ["a", "b", "c"]
    (said,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert said.getMessage() == (
        "a, adopted from /there, is not what upstream promises: downloaded"
    )
