"""Folders and files of the user's own."""

from pathlib import Path
from typing import cast

import pytest
from standin import models

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.errors import Reason, UnavailableError, UnknownNameError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.transfer import Deadline, Transfer


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "tiny"
    folder.mkdir(parents=True)
    for name, data in {**models.tiny_bert(), "README.md": b"#", "notes.json": b"{}"}.items():
        (folder / name).write_bytes(data)
    return folder


def resolve(name: str, root: Path, architecture: str | None = None) -> ResolvedModel:
    model_id = ModelId("file", name)
    context = SourceContext(cast(Transfer, None), "", root)
    request = ModelRequest(model_id, str(model_id), "language", architecture=architecture)
    return open_source("file", context).resolve(model_id, request, Deadline(5))


def test_a_folder_is_relative_to_the_project(tiny: Path, tmp_path: Path) -> None:
    resolved = resolve("models/tiny", tmp_path)
    assert (resolved.in_place, resolved.format) == (tiny, "transformers")
    assert {str(file.path) for file in resolved.files} == set(models.tiny_bert())
    assert {file.size for file in resolved.files} == {
        (tiny / file.path).stat().st_size for file in resolved.files
    }
    assert resolved.origin == tiny.as_uri()


def test_an_absolute_path_stays(tiny: Path) -> None:
    assert resolve(str(tiny), Path("/elsewhere")).in_place == tiny


def test_a_tilde_is_the_home_folder(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert resolve("~/models/tiny", Path("/elsewhere")).in_place == tiny


def test_a_weights_file_belongs_to_the_architecture_of_its_entry(tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(b"12345")
    (tmp_path / "other.pth").write_bytes(b"1")
    resolved = resolve("mine.pth", tmp_path, "resnet18")
    assert (resolved.format, resolved.architecture) == ("torchvision", "resnet18")
    assert resolved.kind == "vision"
    assert resolved.in_place == tmp_path
    assert [(str(file.path), file.size) for file in resolved.files] == [("mine.pth", 5)]


def test_a_weights_file_without_architecture_says_where_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "mine.safetensors").write_bytes(b"1")
    with pytest.raises(UsageError) as caught:
        resolve("mine.safetensors", tmp_path)
    assert 'name = "mine.safetensors"' in caught.value.remedy
    assert "architecture" in caught.value.remedy


def test_an_unknown_architecture_lists_close_ones(tmp_path: Path) -> None:
    (tmp_path / "mine.pth").write_bytes(b"1")
    with pytest.raises(UnknownNameError, match="resnet18"):
        resolve("mine.pth", tmp_path, "resnet_18")


def test_a_file_that_is_no_weights_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.h5").write_bytes(b"1")
    with pytest.raises(UnavailableError, match="no weights file") as caught:
        resolve("mine.h5", tmp_path, "resnet18")
    assert caught.value.reason is Reason.NOT_LOADABLE


def test_a_folder_without_configuration_says_what_it_has(tmp_path: Path) -> None:
    for number in range(10):
        (tmp_path / f"{number}.txt").touch()
    with pytest.raises(UnavailableError, match=r"it has 0\.txt, 1\.txt.* and 2 more") as caught:
        resolve(".", tmp_path)
    assert caught.value.reason is Reason.NOT_LOADABLE


def test_a_path_that_does_not_exist_names_the_first_missing_part(
    tiny: Path, tmp_path: Path
) -> None:
    with pytest.raises(UnavailableError, match="has no 'modles'; did you mean models") as caught:
        resolve("modles/tiny", tmp_path)
    assert caught.value.reason is Reason.UNKNOWN_MODEL
    with pytest.raises(UnavailableError, match="has no 'zebra'; it has models"):
        resolve("zebra", tmp_path)


def test_an_unknown_home_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="file:~nobody-there/x"):
        resolve("~nobody-there/x", tmp_path)
