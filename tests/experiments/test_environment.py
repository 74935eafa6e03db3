"""What is on record about where a run happened."""

import json
import subprocess
from importlib import metadata
from pathlib import Path

import pytest
import torch

from pytest_potmodels.experiments.environment import captured, of_git


def git(folder: Path, *words: str) -> str:
    settings = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    said = subprocess.run(
        ["git", *settings, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return said.stdout.strip()


def test_versions_machine_and_threads() -> None:
    found = captured(device="cpu")
    for package in ("torch", "torchvision", "transformers", "numpy", "pytest-potmodels"):
        assert found["versions"][package] == metadata.version(package)
    assert found["machine"]["processor"]
    assert found["machine"]["cores"] >= 1
    assert found["threads"] == torch.get_num_threads()
    assert json.loads(json.dumps(found)) == found


def test_variables_that_change_numbers_are_kept_and_no_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setenv("POT_MIRRORS", "https://a=https://user:secret@b")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    found = captured(device="cpu")
    assert found["variables"]["OMP_NUM_THREADS"] == "3"
    assert "secret" not in json.dumps(found)


def test_the_commit_and_whether_it_was_changed(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    assert of_git(tmp_path) is None  # No commit yet.
    file = tmp_path / "train.py"
    file.write_text("one")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-q", "-m", "first")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "result.json").write_text("{}")  # A result of an earlier run changes nothing.
    assert of_git(tmp_path) == {"commit": commit, "dirty": False}
    file.write_text("two")
    assert of_git(tmp_path) == {"commit": commit, "dirty": True}


def test_without_a_repository_or_without_git_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert of_git(tmp_path) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    assert of_git(Path.cwd()) is None
