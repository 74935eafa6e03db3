import os
import subprocess
import sys
from pathlib import Path

import pytest
from lut_networks import fitted

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut import get_pretrained_model_info, list_pretrained_models, pretrained_files

WITHOUT_TORCH = """
import sys
from pytest_potmodels.lut import pretrained_files
names = pretrained_files.names()
pretrained_files.find(names[0])
assert "yaml" not in sys.modules
from pytest_potmodels.lut import get_pretrained_model_info, list_pretrained_models
assert list_pretrained_models() == names
assert get_pretrained_model_info(names[0])["name"] == names[0]
assert not {"torch", "numpy", "safetensors"} & set(sys.modules)
"""


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder, and one more on the path."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("POT_LUT_PATH", os.pathsep.join([str(tmp_path / "more"), "", "absent"]))
    return tmp_path / "more"


def put(folder: Path, name: str, *endings: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for ending in (".yaml", *endings):
        path.with_name(f"{path.name}{ending}").touch()


def test_what_is_shipped_is_found_from_anywhere() -> None:
    shipped = Path(pretrained_files.__file__).parent / "pretrained"
    names = pretrained_files.names()
    assert "feedforward/digits_small" in names
    assert names == sorted({f"{p.parent.name}/{p.stem}" for p in shipped.glob("*/*.yaml")})
    assert list_pretrained_models() == names


def test_a_name_is_found_with_its_type_and_without(elsewhere: Path) -> None:
    put(elsewhere, "feedforward/mine", ".safetensors", ".pth", ".hard.safetensors")
    for name in ("mine", "feedforward/mine"):
        found = pretrained_files.find(name)
        assert found.name == "feedforward/mine"
        assert found.folder == elsewhere / "feedforward"
        assert found.config == found.folder / "mine.yaml"
        assert found.weights == found.folder / "mine.safetensors"
        assert found.hardened == found.folder / "mine.hard.safetensors"
    assert "feedforward/mine" in pretrained_files.names()


def test_weights_may_be_a_pth_or_missing(elsewhere: Path) -> None:
    put(elsewhere, "feedforward/old", ".pth")
    put(elsewhere, "feedforward/none")
    assert pretrained_files.find("old").weights == elsewhere / "feedforward" / "old.pth"
    assert pretrained_files.find("none").weights is None
    assert pretrained_files.find("none").hardened is None


def test_the_working_folder_goes_before_the_path_and_both_before_the_package(
    elsewhere: Path,
) -> None:
    put(elsewhere, "feedforward/digits_small")
    assert pretrained_files.find("digits_small").folder == elsewhere / "feedforward"
    put(Path("pretrained"), "feedforward/digits_small")
    assert pretrained_files.find("digits_small").folder == Path("pretrained/feedforward").absolute()
    assert pretrained_files.names().count("feedforward/digits_small") == 1


def test_one_name_of_two_types_needs_its_type(elsewhere: Path) -> None:
    put(elsewhere, "feedforward/both")
    put(elsewhere, "convnet/both")
    with pytest.raises(LUTError, match=r"'both' is convnet/both and feedforward/both in"):
        pretrained_files.find("both")
    assert pretrained_files.find("convnet/both").config.parent.name == "convnet"


@pytest.mark.parametrize("name", ["digits_smal", "feedforward/digits_smal"])
def test_an_unknown_name_is_an_error_with_all_names(name: str, elsewhere: Path) -> None:
    with pytest.raises(LUTNameError, match=r"unknown pretrained model '.*digits_smal'") as error:
        pretrained_files.find(name)
    assert any("digits_small" in match for match in error.value.matches)
    assert "available: " in error.value.remedy
    assert "feedforward/digits_small" in error.value.remedy
    assert str(elsewhere) in error.value.remedy


@pytest.mark.parametrize("name", ["", ".", "..", "../pretrained/feedforward/mine", "/etc/x", "*"])
def test_a_path_is_no_name(name: str, elsewhere: Path) -> None:
    put(elsewhere, "feedforward/mine")
    with pytest.raises(LUTNameError):
        pretrained_files.find(name)


def test_what_is_known_of_a_network_is_plain(elsewhere: Path) -> None:
    model = fitted()
    model.save_config(elsewhere / "feedforward" / "mine.yaml")
    model.save_weights(elsewhere / "feedforward" / "mine.safetensors")
    found = get_pretrained_model_info("mine")
    assert found["name"] == "feedforward/mine"
    assert set(found["files"]) == {"mine.yaml", "mine.safetensors"}
    assert (found["has_weights"], found["is_hardened"]) == (True, False)
    assert (found["layer_widths"], found["input_size"]) == ([12, 6], 8)
    assert found["weights"]["file"] == "mine.safetensors"


def test_names_and_what_is_known_of_one_need_no_torch() -> None:
    subprocess.run([sys.executable, "-c", WITHOUT_TORCH], check=True)


@pytest.mark.parametrize(
    "said", ["~no-such-user/models", os.pathsep * 3, "/dev/null", "a*[b", "no\nfolder", "."]
)
def test_odd_parts_of_the_path_are_folders_that_have_nothing(
    said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_LUT_PATH", said)
    assert "feedforward/digits_small" in list_pretrained_models()


def test_a_part_of_the_path_that_cannot_be_read_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POT_LUT_PATH", "x" * 5000)
    with pytest.raises(LUTError, match=r"cannot be read(.|\n)*POT_LUT_PATH"):
        list_pretrained_models()


def test_a_folder_with_the_name_of_a_network_hides_none() -> None:
    Path("pretrained/feedforward/digits_small.yaml").mkdir(parents=True)
    assert pretrained_files.find("digits_small").config.is_file()


def test_a_link_to_nothing_is_said_and_not_passed_over() -> None:
    Path("pretrained/feedforward").mkdir(parents=True)
    Path("pretrained/feedforward/digits_small.yaml").symlink_to("nowhere")
    with pytest.raises(LUTError, match=r"There is no configuration file .*work/pretrained"):
        get_pretrained_model_info("digits_small")
