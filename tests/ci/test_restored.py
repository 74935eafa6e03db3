"""What lies in a restored folder beside the files of its manifest."""

from pathlib import Path

import pytest

from pytest_potmodels.artifacts import StoredFile, StoredModel
from pytest_potmodels.ci.restored import strangers
from pytest_potmodels.identifiers import ModelId

FILES = ("config.json", "onnx/model.onnx", "a/b/c.bin")


@pytest.fixture
def stored(tmp_path: Path) -> StoredModel:
    for path in (*FILES, "model_info.json"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(b"x")
    files = tuple(StoredFile(path, 1, "a" * 64) for path in FILES)
    return StoredModel(
        ModelId("huggingface", "org/x"), tmp_path, "language", "transformers", files
    )  # fmt: skip


def test_an_entry_as_it_was_admitted_has_none(stored: StoredModel) -> None:
    assert strangers(stored) == []


@pytest.mark.parametrize("path", [".hidden", "onnx/other.onnx", "a/x.bin", "a/b/d.bin"])
def test_a_file_that_the_manifest_does_not_name_is_one(stored: StoredModel, path: str) -> None:
    (stored.path / path).write_bytes(b"x")
    assert strangers(stored) == [path]


def test_a_folder_is_named_once_for_all_in_it(stored: StoredModel) -> None:
    (stored.path / "code" / "deep").mkdir(parents=True)
    (stored.path / "code" / "deep" / "run.py").write_bytes(b"x")
    assert strangers(stored) == ["code"]


def test_a_link_to_a_folder_of_files_is_not_entered(stored: StoredModel, tmp_path: Path) -> None:
    (tmp_path / "a").rename(tmp_path.parent / f"{tmp_path.name}-moved")
    (stored.path / "a").symlink_to(tmp_path.parent / f"{tmp_path.name}-moved")
    assert strangers(stored) == ["a"]
