"""Seed-style YAML: strictly under `models:`, with file and line of each mistake."""

from pathlib import Path

import pytest

from pytest_potmodels.errors import UsageError
from pytest_potmodels.settings.resolution import resolve

SEED = """\
other: things
models:
  model_path: "models/"
  download:
    cache_dir: "custom_models/"
    auto_download: false
    sources:
      torchvision:
        enabled: true
      huggingface:
        enabled: false
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return path


def test_the_seeds_keys_mean_what_the_seed_says(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    settings = resolve({"config": str(path)}, {}, tmp_path)
    assert settings.models_folder == tmp_path / "custom_models"
    assert settings.closed_by == f"auto_download: false in {path}:6"
    assert settings.disabled_sources == {"huggingface": f"{path}:11"}


def test_the_command_line_and_the_environment_go_before_its_folder(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    given = {"config": str(path), "cache_dir": str(tmp_path / "mine")}
    settings = resolve(given, {}, tmp_path)
    assert settings.models_folder is None
    assert settings.cache_dir == tmp_path / "mine"


def test_the_environment_may_name_it(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    assert resolve({}, {"POT_CONFIG": str(path)}, tmp_path).closed_by


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "cache_dir",
            "cachedir",
            "config.yaml:5: unknown key 'cachedir'. Did you mean 'cache_dir'",
        ),
        ("torchvision", "torchvison", "config.yaml:8: unknown key 'torchvison'. Did you mean"),
        (
            "auto_download: false",
            "auto_download: maybe",
            "config.yaml:6: 'auto_download' is 'maybe'",
        ),
        ('model_path: "models/"', "model_path: 3", "config.yaml:3: 'model_path' is 3"),
        ("models:\n", "modles:\n", "has no `models:` mapping"),
        ("other: things", "other: [", "is no valid YAML"),
        ("  model_path:", "  2026:", "config.yaml:3: unknown key '2026'"),
        ("enabled: true", "enabled: 1", "config.yaml:9: 'enabled' is 1, expected a bool"),
    ],
)
def test_a_mistake_says_file_and_line(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = written(tmp_path, SEED.replace(old, new))
    with pytest.raises(UsageError) as raised:
        resolve({"config": str(path)}, {}, tmp_path)
    assert said in str(raised.value)


def test_a_folder_below_home_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    path = written(tmp_path, "models:\n  model_path: ~/models\n")
    assert resolve({"config": str(path)}, {}, tmp_path).models_folder == tmp_path / "home/models"


def test_bytes_that_are_no_text_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_bytes(b"\xff\xfemodels:")
    with pytest.raises(UsageError, match=r"config\.yaml is no valid YAML"):
        resolve({"config": str(path)}, {}, tmp_path)
