import os
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.errors import StoreError
from pytest_potmodels.store import manifest
from pytest_potmodels.store.layout import MANIFEST

OLD, NEW = "huggingface:bert-base-uncased", "huggingface:google-bert/bert-base-uncased"
NAME = "huggingface:org/model"
ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 1000}


def repo_name(text: str) -> str:
    return text.partition(":")[2]


def old(**facts: Any) -> dict[str, Any]:
    """What the hub says of a model that is asked for by its old name."""
    return {"aliases": (repo_name(NEW),), **facts}


def refs(shelf: Any) -> dict[str | None, tuple[str, ...]]:
    return {entry.revision: entry.refs for entry in shelf.store.entries()}


@pytest.mark.parametrize("first", [OLD, NEW])
def test_both_names_of_a_model_are_one_entry(shelf: Any, first: str) -> None:
    for name in (first, OLD, NEW):
        shelf.admit(name, **(old() if name == OLD else {}))
    assert shelf.fetched == list(FILES)
    assert len(shelf.folders()) == 1
    assert shelf.find(OLD) == shelf.find(NEW)


def test_a_name_that_is_learnt_is_there_without_being_asked_again(shelf: Any) -> None:
    stored = shelf.admit(NEW)
    learned = shelf.admit(OLD, **old())
    assert not learned.fresh
    assert learned.path == stored.path
    assert shelf.find(OLD).path == stored.path
    assert not (stored.path / MANIFEST).stat().st_mode & 0o222


def test_another_name_does_not_move_a_branch(shelf: Any) -> None:
    pinned = shelf.admit(NEW, {"f": b"1"}, revision=ONE)
    found = shelf.admit(OLD, {"f": b"2"}, **old(revision=TWO))
    assert (found.path, found.revision) == (pinned.path, ONE)
    assert shelf.find(OLD).revision == shelf.find(NEW).revision == ONE
    assert len(shelf.folders()) == 1


def test_another_name_moves_a_branch_when_that_is_asked_for(shelf: Any) -> None:
    shelf.admit(NEW, {"f": b"1"}, revision=ONE)
    found = shelf.admit(OLD, {"f": b"2"}, again=True, **old(revision=TWO))
    assert found.revision == shelf.find(OLD).revision == shelf.find(NEW).revision == TWO
    assert refs(shelf) == {ONE: (), TWO: ("",)}


def test_a_second_name_of_a_revision_is_learnt(shelf: Any) -> None:
    shelf.admit(NAME, revision=ONE)
    shelf.admit(f"{NAME}@v1", revision=ONE)
    assert shelf.fetched == list(FILES)
    assert refs(shelf) == {ONE: ("", "v1")}


def test_a_branch_that_moved_leaves_the_old_revision_where_it_is(shelf: Any) -> None:
    for number, revision in enumerate((ONE, TWO, THREE)):
        shelf.admit(NAME, {"f": b"%d" % number}, revision=revision, again=True)
    assert refs(shelf) == {ONE: (), TWO: (), THREE: ("",)}
    assert shelf.find(NAME).revision == THREE
    assert (shelf.find(f"{NAME}@{ONE}").path / "f").read_bytes() == b"0"


def test_a_branch_that_moved_back_is_found_back(shelf: Any) -> None:
    for data, revision in ((b"1", ONE), (b"2", TWO), (b"1", ONE)):
        shelf.admit(NAME, {"f": data}, revision=revision, again=True)
    assert refs(shelf) == {ONE: ("",), TWO: ()}
    assert shelf.folders() == ["huggingface_org--model", "huggingface_org--model@22222222"]


def test_refs_of_another_model_stay(shelf: Any) -> None:
    shelf.admit("huggingface:org/other", {"f": b"o"}, revision=THREE)
    shelf.admit(NAME, {"f": b"1"}, revision=ONE)
    shelf.admit(NAME, {"f": b"2"}, revision=TWO, again=True)
    assert refs(shelf) == {ONE: (), TWO: ("",), THREE: ("",)}


@pytest.mark.parametrize("name", [OLD, NEW])
def test_fetching_again_keeps_the_folder_the_names_and_the_refs(shelf: Any, name: str) -> None:
    first = shelf.admit(f"{OLD}@v1", **old(revision=ONE))
    shelf.admit(OLD, **old(revision=ONE))
    again = shelf.admit(
        name, again=True, **(old(revision=ONE) if name == OLD else {"revision": ONE})
    )
    assert again.fresh
    assert shelf.folders() == [first.path.name]
    assert again.refs == ("", "v1")
    assert shelf.find(f"{NEW}@v1") == shelf.find(OLD) == again


def test_a_manifest_that_would_say_the_same_is_not_written(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    before = (stored.path / MANIFEST).stat()
    assert shelf.admit(NAME) == stored
    assert (stored.path / MANIFEST).stat() == before


def test_fetching_again_keeps_a_name_that_was_learnt(shelf: Any) -> None:
    shelf.admit(NEW)
    shelf.admit(OLD, **old())
    shelf.admit(NEW, again=True)
    assert shelf.find(OLD) == shelf.find(NEW)


def test_a_learnt_entry_is_not_said_to_be_fresh(shelf: Any) -> None:
    assert shelf.admit(NAME).fresh
    assert not shelf.admit(f"{NAME}@v1").fresh
    assert shelf.admit(NAME, again=True).fresh


def test_old_and_new_name_at_once_are_fetched_once(shelf: Any, resolved: Any) -> None:
    started = threading.Barrier(2)
    fetching = shelf.fetcher(FILES)

    def slow(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        threading.Event().wait(0.2)
        return tuple(fetching(files, stage))

    def work(model: Any) -> Path:
        started.wait()
        with shelf.store.locked(model.id, timeout=10):
            path: Path = shelf.store.admit(model, slow, timeout=10).path
            return path

    with ThreadPoolExecutor(2) as pool:
        paths = set(pool.map(work, [resolved(OLD, **old()), resolved(NEW)]))
    assert shelf.fetched == list(FILES)
    assert [path.name for path in paths] == shelf.folders()


def test_names_that_share_a_folder_name_do_not_wait_for_themselves(shelf: Any) -> None:
    shelf.admit("huggingface:a--b", aliases=("a/b",))
    shelf.admit("huggingface:Org/Model", aliases=("org/model",))
    assert len(shelf.folders()) == 2


def test_a_lock_that_is_held_too_long_is_a_store_error(shelf: Any, resolved: Any) -> None:
    model = resolved(NAME)
    with (
        shelf.store.locked(model.id, timeout=1),
        pytest.raises(StoreError, match=f"held by process {os.getpid()}"),
        shelf.store.locked(model.id, timeout=0.1),
    ):
        pass


def test_a_removed_entry_is_gone(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    kept = shelf.admit("huggingface:org/kept")
    shelf.store.remove(stored)
    assert shelf.find(NAME) is None
    assert shelf.store.entries() == [kept]
    assert shelf.store.leftovers() == []
    assert not shelf.layout.signatures(stored.path.name).exists()


def test_a_damaged_entry_can_be_removed(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    (stored.path / MANIFEST).unlink()
    (name,) = shelf.store.damaged_entries()
    assert "it is absent" in shelf.store.damage_of(name).message
    shelf.store.remove_damaged(name)
    assert shelf.store.damaged_entries() == []
    assert shelf.folders() == []


def test_leftovers_are_what_no_model_needs(shelf: Any, flip_byte: Any) -> None:
    stored = shelf.admit(NAME)
    flip_byte(stored.path / "model.safetensors")
    shelf.mend(stored)
    partial = shelf.layout.stage("huggingface_org--other@12345678")
    partial.mkdir(parents=True)
    (partial / "f.part").write_bytes(b"half")
    record = shelf.layout.in_place("x")
    record.parent.mkdir()
    record.write_text("{")
    found = shelf.store.leftovers()
    assert {path.parent.name for path in found} == {"partial", "quarantine", "in_place"}
    for path in found:
        shelf.store.discard(path)
    assert shelf.store.leftovers() == []
    assert shelf.damaged(stored, whole=True) == {}


@pytest.mark.parametrize("again", [False, True])
def test_what_is_being_downloaded_is_not_discarded(shelf: Any, resolved: Any, again: bool) -> None:  # noqa: FBT001
    if again:
        shelf.admit(NAME, revision=ONE)
    model = resolved(NAME, revision=TWO)

    def fetch(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        (leftover,) = shelf.store.leftovers()
        assert leftover == stage
        with pytest.raises(StoreError, match="held by process"):
            shelf.store.discard(leftover)
        return tuple(shelf.fetcher(FILES)(files, stage))

    with shelf.store.locked(model.id, timeout=1):
        stored = shelf.store.admit(model, fetch, timeout=1, again=again)
    assert shelf.damaged(stored, whole=True) == {}


def test_a_users_own_folders_in_a_models_folder_are_left_alone(shelf: Any) -> None:
    shelf.admit(NAME)
    mine = shelf.layout.models / "my-experiments"
    mine.mkdir()
    (mine / "weights.pt").write_text("mine")
    assert shelf.store.damaged_entries() == []
    assert [entry.path.name for entry in shelf.store.entries()] == ["huggingface_org--model"]


def test_the_disk_that_fails_is_a_store_error(shelf: Any, resolved: Any) -> None:
    def fetch(_files: Sequence[RemoteFile], _stage: Path) -> tuple[StoredFile, ...]:
        raise OSError(28, "No space left on device")

    model = resolved(NAME)
    with shelf.store.locked(model.id, timeout=1), pytest.raises(StoreError) as caught:
        shelf.store.admit(model, fetch, timeout=1)
    assert "cannot be written: No space left on device" in caught.value.message
    assert "free some space" in caught.value.remedy


def test_manifests_are_never_half_written(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    stop = threading.Event()
    failures: list[str] = []

    def read() -> None:
        while not stop.is_set():
            try:
                manifest.read(stored.path / MANIFEST)
            except Exception as error:  # noqa: BLE001 - shown below
                failures.append(repr(error))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(50):
        shelf.admit(f"{NAME}@v{number}")
    stop.set()
    reader.join()
    assert failures == []
    assert len(shelf.find(NAME).refs) == 51
