"""Which folder may be emptied of all that is no model."""

from pathlib import Path

import pytest

from pytest_potmodels.ci import folder
from pytest_potmodels.errors import UsageError


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def test_the_folder_is_as_of_the_workspace(workspace: Path, tmp_path: Path) -> None:
    environ = {"GITHUB_ACTIONS": "true", "GITHUB_WORKSPACE": str(tmp_path)}
    assert folder.place(".potmodels-cache", environ) == tmp_path / ".potmodels-cache"
    assert folder.place(".potmodels-cache", {}) == workspace / ".potmodels-cache"
    assert folder.place("../elsewhere", {}) == tmp_path / "elsewhere"


@pytest.mark.parametrize("held", [".", "..", "/", "~", "a/../.."])
def test_a_folder_that_holds_the_workspace_is_refused(workspace: Path, held: str) -> None:
    with pytest.raises(UsageError, match="no folder for a cache"):
        folder.place(held, {})


def test_it_is_marked_once_and_then_ours_whatever_an_entry_brings(workspace: Path) -> None:
    cache = workspace / ".potmodels-cache"
    folder.claim(cache)
    assert (cache / ".gitignore").read_text() == "*\n"
    (cache / "token").write_text("hf_secret")
    layout = folder.claim(cache)
    assert folder.sweep(layout) == ("token",)


@pytest.mark.parametrize("theirs", ["notes.txt", "models/my_network.pt", ".pot/../.env"])
def test_what_nobody_marked_and_is_no_cache_is_left_alone(workspace: Path, theirs: str) -> None:
    cache = workspace / "cache"
    file = cache / theirs
    (cache / ".pot").mkdir(parents=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("mine")
    with pytest.raises(UsageError, match="it holds"):
        folder.claim(cache)
    assert file.read_text() == "mine"


def test_a_cache_that_a_service_restored_is_ours_unmarked(workspace: Path) -> None:
    cache = workspace / "cache"
    (cache / "models" / "huggingface_org--x").mkdir(parents=True)
    folder.claim(cache)
    assert (cache / ".gitignore").exists()


def test_a_mark_that_is_a_link_is_no_mark(workspace: Path) -> None:
    other = workspace / "other"
    other.write_text("*\n")
    cache = workspace / "cache"
    cache.mkdir()
    (cache / ".gitignore").symlink_to(other)
    (cache / "notes.txt").write_text("mine")
    with pytest.raises(UsageError, match=r"it holds notes\.txt"):
        folder.claim(cache)
