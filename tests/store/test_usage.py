"""When an entry was used: noted once per process, best effort, and the machine's own."""

import os
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.store import usage
from pytest_potmodels.store.layout import Layout
from pytest_potmodels.store.leases import let_go

NAME = "huggingface:org/model"


def used(shelf: Any, folder: Path) -> float:
    return usage.last_used(shelf.layout, folder.name, folder)


def back(shelf: Any, folder: Path) -> None:
    for place in (shelf.layout.used(folder.name), folder / "model_info.json"):
        os.utime(place, (1000, 1000))


def test_an_entry_was_used_when_it_came(shelf: Any) -> None:
    folder = shelf.admit(NAME).path
    assert used(shelf, folder) >= (folder / "model_info.json").stat().st_mtime


def test_the_first_use_of_a_process_is_noted(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    let_go()
    back(shelf, stored.path)
    shelf.store.find(stored.id)
    assert used(shelf, stored.path) == 1000
    shelf.store.find_to_use(stored.id)
    assert used(shelf, stored.path) > 1000
    back(shelf, stored.path)
    shelf.store.find_to_use(stored.id)
    assert used(shelf, stored.path) == 1000


def test_a_derived_folder_is_noted_apart(bench: Any) -> None:
    made = bench.admit()
    let_go()
    layout = bench.shelf.layout
    os.utime(layout.used(f"derived-{made.key}"), (1000, 1000))
    os.utime(made.path / "model_info.json", (1000, 1000))
    assert bench.store.last_used(made) == 1000
    bench.store.find(made.key)
    assert bench.store.last_used(made) > 1000


def test_without_a_note_the_manifest_tells_and_without_one_nothing_does(tmp_path: Path) -> None:
    layout, folder = Layout.at(tmp_path), tmp_path / "models" / "entry"
    assert usage.last_used(layout, "entry", folder) == 0
    folder.mkdir(parents=True)
    (folder / "model_info.json").touch()
    os.utime(folder / "model_info.json", (1000, 1000))
    assert usage.last_used(layout, "entry", folder) == 1000


def test_a_machine_folder_that_takes_no_note_is_no_trouble(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout = Layout.at(tmp_path)
    layout.machine.write_text("in the way")
    usage.touch(layout, "entry")
    usage.forget(layout, "entry")
    assert caplog.records == []
