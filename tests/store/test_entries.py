import json
import os
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.entries import Entries, is_of, ref_of
from pytest_potmodels.store.layout import MANIFEST, Layout

OLD, NEW = "huggingface:bert-base-uncased", "huggingface:google-bert/bert-base-uncased"
NAME = "huggingface:org/model"
COMMITS = ["1" * 40, "2" * 40, "3" * 40]


def test_an_entry_is_found_by_name_ref_and_commit(shelf: Any) -> None:
    stored = shelf.admit(f"{NAME}@v1", revision=COMMITS[0])
    for asked in (f"{NAME}@v1", f"{NAME}@{COMMITS[0]}"):
        assert shelf.find(asked) == stored
    for asked in (NAME, f"{NAME}@main", f"{NAME}@{COMMITS[1]}", "huggingface:other/model"):
        assert shelf.find(asked) is None


@pytest.mark.parametrize("asked", [NAME, f"{NAME}@main"])
def test_the_default_branch_has_one_name(shelf: Any, asked: str) -> None:
    stored = shelf.admit(asked)
    assert stored.refs == ("",)
    assert shelf.find(NAME) == shelf.find(f"{NAME}@main") == stored


def test_torchvisions_default_has_one_name(shelf: Any) -> None:
    name = "torchvision:resnet18"
    facts = {"kind": "vision", "format": "torchvision", "revision": "IMAGENET1K_V1"}
    stored = shelf.admit(name, **facts)
    for asked in (name, f"{name}@DEFAULT", f"{name}@IMAGENET1K_V1"):
        assert shelf.find(asked) == stored
    assert shelf.find(f"{name}@main") is None


def test_a_model_is_not_found_under_another_source(shelf: Any) -> None:
    shelf.admit("huggingface:resnet18")
    assert shelf.find("torchvision:resnet18") is None


def test_a_second_revision_gets_its_commit_in_its_name(shelf: Any) -> None:
    for commit in COMMITS:
        shelf.admit(f"{NAME}@{commit}", {"f": commit.encode()}, revision=commit)
    assert shelf.folders() == [
        "huggingface_org--model",
        "huggingface_org--model@22222222",
        "huggingface_org--model@33333333",
    ]
    for commit in COMMITS:
        found = shelf.find(f"{NAME}@{commit}")
        assert (found.path / "f").read_bytes() == commit.encode()


def test_revisions_that_begin_alike_do_not_push_each_other_out(shelf: Any) -> None:
    names = ["IMAGENET1K_V1", "IMAGENET1K_SWAG_E2E_V1", "IMAGENET1K_SWAG_LINEAR_V1"]
    own = ["weights-01234567", "weights-89abcdef"]
    hashes = ["4" * 40, "4" * 39 + "5", "4" * 39 + "6"]
    for revision in (*names, *own, *hashes):
        shelf.admit(f"torchvision:vit_b_16@{revision}", {"f": revision.encode()}, revision=revision)
    assert len(shelf.folders()) == 8
    for revision in (*names, *own, *hashes):
        found = shelf.find(f"torchvision:vit_b_16@{revision}")
        assert (found.path / "f").read_bytes() == revision.encode()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("huggingface:org/Model", "huggingface:org/model"),
        ("huggingface:ORG/model", "huggingface:org/model"),
        ("huggingface:a/b", "huggingface:a--b"),
        ("huggingface:a/b_c", "huggingface:a/b\u00e9c"),
    ],
)
def test_names_that_would_share_a_folder_stay_apart(shelf: Any, one: str, other: str) -> None:
    for name in (one, other):
        shelf.admit(name, {"f": name.encode()}, revision=COMMITS[0])
        shelf.admit(f"{name}@v2", {"f": b"2" + name.encode()}, revision=COMMITS[1])
    folders = shelf.folders()
    assert len({name.casefold() for name in folders}) == 4
    for name in (one, other):
        assert (shelf.find(name).path / "f").read_bytes() == name.encode()
        assert (shelf.find(f"{name}@v2").path / "f").read_bytes() == b"2" + name.encode()
        shelf.admit(name, {"f": name.encode()}, revision=COMMITS[0], again=True)
    assert shelf.folders() == folders


def test_an_alias_finds_the_entry_of_the_other_name(shelf: Any) -> None:
    stored = shelf.admit(OLD, aliases=(NEW.partition(":")[2],))
    assert shelf.find(NEW) == stored
    assert shelf.find(f"{NEW}@{stored.revision}") == stored


def test_a_folder_without_a_manifest_may_be_the_model(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    (stored.path / MANIFEST).unlink()
    with pytest.raises(DigestMismatchError, match="it is absent"):
        shelf.find(NAME)
    assert shelf.find("huggingface:org/other") is None


@pytest.mark.parametrize("which", [0, 1])
def test_a_damaged_revision_is_not_an_absent_one(shelf: Any, which: int) -> None:
    for commit in COMMITS[:2]:
        stored = shelf.admit(f"{NAME}@{commit}", {"f": commit.encode()}, revision=commit)
    folder = shelf.find(f"{NAME}@{COMMITS[which]}").path
    (folder / MANIFEST).chmod(0o644)
    (folder / MANIFEST).write_text("{")
    with pytest.raises(DigestMismatchError, match="no readable manifest"):
        shelf.find(f"{NAME}@{COMMITS[which]}")
    assert shelf.find(f"{NAME}@{COMMITS[1 - which]}").revision == COMMITS[1 - which]
    assert stored


def test_a_foreign_manifest_does_not_stand_for_the_model(shelf: Any) -> None:
    stored = shelf.admit(NAME)
    data = json.loads((stored.path / MANIFEST).read_text())
    (stored.path / MANIFEST).chmod(0o644)
    (stored.path / MANIFEST).write_text(json.dumps({**data, "name": "somebody/else"}))
    assert shelf.find(NAME) is None
    assert shelf.admit(NAME).path.name.startswith("huggingface_org--model-")


def test_damaged_entries_are_listed_and_folders_of_others_are_not(
    shelf: Any, tmp_path: Path
) -> None:
    whole = shelf.admit("huggingface:org/whole")
    torn = shelf.admit("huggingface:org/torn")
    bare = shelf.admit("huggingface:org/bare")
    (torn.path / MANIFEST).chmod(0o644)
    (torn.path / MANIFEST).write_text("{")
    (bare.path / MANIFEST).unlink()
    for name in ("my-own-models", ".hidden", "derived"):
        (shelf.layout.models / name).mkdir()
        (shelf.layout.models / name / "weights.pt").write_text("mine")
    (shelf.layout.models / "notes.txt").write_text("mine")
    entries = Entries(shelf.layout)
    assert entries.damaged() == [bare.path.name, torn.path.name]
    assert [entry.path for entry in entries.all()] == [whole.path]
    assert "it is absent" in entries.damage_of(bare.path.name).message
    assert "JSONDecodeError" in entries.damage_of(torn.path.name).message


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own there")
def test_an_entry_behind_a_link_is_not_trusted(shelf: Any, tmp_path: Path) -> None:
    stored = shelf.admit(NAME)
    stored.path.rename(tmp_path / "outside")
    stored.path.symlink_to(tmp_path / "outside")
    assert Entries(shelf.layout).damaged() == [stored.path.name]
    with pytest.raises(DigestMismatchError, match="symbolic link"):
        shelf.find(NAME)


def test_an_entry_that_points_out_of_the_cache_is_not_loaded(shelf: Any, tmp_path: Path) -> None:
    stored = shelf.admit(NAME)
    data = json.loads((stored.path / MANIFEST).read_text())
    (stored.path / MANIFEST).chmod(0o644)
    (stored.path / MANIFEST).write_text(json.dumps({**data, "in_place": str(tmp_path)}))
    with pytest.raises(DigestMismatchError, match="a folder outside the cache"):
        shelf.find(NAME)


def test_an_empty_cache_has_nothing(shelf: Any) -> None:
    entries = Entries(shelf.layout)
    assert (entries.all(), entries.in_place(), entries.damaged()) == ([], [], [])
    assert entries.find(ModelId("huggingface", "org/model")) is None
    assert not shelf.cache.exists()


def test_refs_are_named_once(shelf: Any) -> None:
    assert ref_of(ModelId("huggingface", "a/b")) == ref_of(ModelId("huggingface", "a/b", "main"))
    assert ref_of(ModelId("torchvision", "resnet18", "main")) == "main"
    stored = shelf.admit(f"{NAME}@v1", revision=COMMITS[0])
    assert is_of(stored, ModelId("huggingface", "org/model", COMMITS[0]))
    assert not is_of(stored, ModelId("huggingface", "org/model"))


#: As a project's own folders may be called, and as an older program called what it fetched.
THEIRS = ("url_classifier", "file_backup", "mock_data", "torchvision_resnet18")


def theirs(models: Path) -> list[Path]:
    """Folders of the user's own in a models folder."""
    for name in THEIRS:
        (models / name).mkdir(parents=True)
        (models / name / "precious.pt").write_text("mine")
        (models / name / MANIFEST).write_text(json.dumps({"name": name, "source": "torchvision"}))
    return [models / name / "precious.pt" for name in THEIRS]


@pytest.mark.parametrize("at", [Layout.at, Layout.of_models_folder])
def test_in_a_folder_of_others_only_what_came_from_here_is_ours(
    tmp_path: Path, shelf: Any, resolved: Any, at: Any
) -> None:
    layout: Layout = at(tmp_path / "project")
    precious = theirs(layout.models)
    store = ModelStore(layout)
    assert store.damaged_entries() == []
    wanted = resolved("torchvision:resnet18", {"f": b"1"})
    with store.locked(wanted.id, timeout=5):
        stored = store.admit(wanted, shelf.fetcher({"f": b"1"}), timeout=5)
    assert stored.path.name.startswith("torchvision_resnet18-")
    assert store.find(wanted.id) is not None
    (stored.path / MANIFEST).unlink()
    assert store.damaged_entries() == [stored.path.name]
    with pytest.raises(DigestMismatchError, match="it is absent"):
        store.find(wanted.id)
    store.remove_damaged(stored.path.name)
    assert store.damaged_entries() == []
    assert [path.read_text() for path in precious] == ["mine"] * len(THEIRS)
