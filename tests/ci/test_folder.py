"""Which folder may be emptied of all that is no model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_potmodels.ci import folder
from pytest_potmodels.errors import StoreError, UsageError

#: Sweeps a folder of nobody's, as nobody.
SWEEP_AS_NOBODY = """
import os, sys
from pathlib import Path
from pytest_potmodels.ci import folder
os.chdir(sys.argv[1])
if os.geteuid() == 0:
    for place, folders, files in os.walk("."):
        for name in (".", *folders, *files):
            os.chown(os.path.join(place, name), 65534, 65534)
    os.setegid(65534)
    os.seteuid(65534)
os.chmod("closed/inner", 0o000)
os.chmod("closed", 0o500)
folder.sweep(folder.Layout.at(Path(".")))
"""


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
    assert (cache / ".gitignore").read_text().splitlines()[1:] == ["*"]
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


@pytest.mark.parametrize("theirs", ["*\n", "*", "# Created by pytest automatically.\n*\n"])
def test_a_folder_that_another_tool_marked_is_left_alone(workspace: Path, theirs: str) -> None:
    """Virtual environments and caches of many tools hold such a file."""
    venv = workspace / ".venv"
    venv.mkdir()
    (venv / ".gitignore").write_text(theirs)
    (venv / "pyvenv.cfg").write_text("mine")
    with pytest.raises(UsageError, match=r"it holds pyvenv\.cfg"):
        folder.claim(venv)
    assert (venv / ".gitignore").read_text() == theirs


@pytest.mark.parametrize("used", [".pot", "derived"])
def test_a_cache_that_is_in_everyday_use_is_left_alone(workspace: Path, used: str) -> None:
    everyday = workspace / "cache"
    (everyday / "models" / "huggingface_org--x").mkdir(parents=True)
    (everyday / used).mkdir()
    with pytest.raises(UsageError, match="something beside this job uses it"):
        folder.claim(everyday)


def test_a_file_is_no_folder_and_stays(workspace: Path) -> None:
    mine = workspace / "README.md"
    mine.write_text("mine")
    with pytest.raises(UsageError, match="it is no folder"):
        folder.claim(mine)
    with pytest.raises(StoreError, match="cannot be the cache"):
        folder.claim(mine / "below")
    assert mine.read_text() == "mine"


def test_a_home_that_nobody_knows_is_none(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="no home folder"):
        folder.place("~nobody_of_that_name/x", {})

    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", unknown)
    assert folder.place("cache", {}) == workspace / "cache"


@pytest.mark.skipif(os.name == "nt", reason="POSIX users and modes")
def test_a_folder_that_an_archive_left_closed_is_deleted(tmp_path: Path) -> None:
    inner = tmp_path / "closed" / "inner" / "more"
    inner.mkdir(parents=True)
    (inner / "file").write_text("x")
    words = [sys.executable, "-c", SWEEP_AS_NOBODY, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
