"""Lines of keys in TOML, whatever way they are written."""

from pathlib import Path

import pytest

from pytest_potmodels.config_files.toml import read_toml
from pytest_potmodels.errors import UsageError

TEXT = """\
[project]
name = "potmodels user"

[tool.potmodels]
preset = "paper"
presets.minimal.vision = "resnet18"

[tool.potmodels.models."my model"]
source = "hf"
"quoted key" = 1

[ tool . potmodels . models . other ]
source = "hf"
"""


def test_each_key_has_its_line(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(TEXT)
    config = read_toml(path)
    assert config is not None
    assert config.where("preset") == f"{path}:5"
    assert config.where("presets", "minimal", "vision") == f"{path}:6"
    assert config.where("models", "my model") == f"{path}:8"
    assert config.where("models", "my model", "source") == f"{path}:9"
    assert config.where("models", "my model", "quoted key") == f"{path}:10"
    assert config.where("models", "other", "source") == f"{path}:13"
    assert config.where("nowhere") == str(path)
    assert config.where("models", "other", "name", "more") == f"{path}:12"


def test_our_own_file_has_no_prefix(tmp_path: Path) -> None:
    path = tmp_path / "potmodels.toml"
    path.write_text('preset = "paper"\n')
    config = read_toml(path)
    assert config is not None
    assert config.table == {"preset": "paper"}
    assert config.where("preset") == f"{path}:1"


def test_a_table_that_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text("[tool]\npotmodels = 3\n")
    with pytest.raises(UsageError, match=r"\[tool\.potmodels\] is no table"):
        read_toml(path)


def test_what_windows_editors_put_in_front_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "potmodels.toml"
    path.write_bytes(b'\xef\xbb\xbfpreset = "paper"\r\n')
    config = read_toml(path)
    assert config is not None
    assert config.table == {"preset": "paper"}


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "potmodels.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=r"potmodels\.toml is no valid TOML"):
        read_toml(path)
