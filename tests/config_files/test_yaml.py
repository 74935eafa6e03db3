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
        ("enabled: true", "enabled: 1", "config.yaml:9: 'enabled' is 1, expected true or false"),
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


WHOLE = """\
models:
  model_path: "models/"
  download:
    cache_dir: "models/"
    auto_download: true
    sources:
      pytorch_hub:
        enabled: false
      torchvision:
        enabled: true
      huggingface:
        enabled: true
      url:
        enabled: true
        verify_ssl: false
        timeout_seconds: 300
    registry_file: "known.json"
"""


def test_every_key_of_the_seed_is_read(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    settings = resolve({"config": str(path)}, {}, tmp_path)
    assert settings.models_folder == tmp_path / "models"
    assert (settings.closed_by, settings.auto_download) == ("", True)
    assert settings.disabled_sources == {"pytorch_hub": f"{path}:8"}
    assert (settings.verify_ssl, settings.url_timeout) == (False, 300.0)
    assert settings.registry_file == Path("known.json")
    assert settings.origins["verify_ssl"] == f"{path}:15"
    assert settings.origins["url_timeout"] == f"{path}:16"


def test_a_project_with_a_folder_of_its_own_lists_its_models_in_it(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    assert resolve({"config": str(path)}, {}, tmp_path).registry_file == Path("model_registry.json")
    path = written(tmp_path, "models:\n  download:\n    auto_download: true\n")
    settings = resolve({"config": str(path)}, {}, tmp_path)
    assert (settings.registry_file, settings.verify_ssl, settings.url_timeout) == (None, True, None)


def test_what_only_yaml_says_is_no_key_of_a_toml_file(tmp_path: Path) -> None:
    path = tmp_path / "potmodels.toml"
    path.write_text("verify_ssl = false\n")
    with pytest.raises(UsageError, match="unknown key 'verify_ssl'"):
        resolve({"config": str(path)}, {}, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("pytorch_hub:", "pytorchhub:", "config.yaml:7: unknown key 'pytorchhub'. Did you mean"),
        ("verify_ssl: false", "verify_ssl: no way", "config.yaml:15: 'verify_ssl' is 'no way'"),
        ("verify_ssl", "verifyssl", "unknown key 'verifyssl'. Did you mean 'verify_ssl'"),
        ("timeout_seconds: 300", "timeout_seconds: 5m", "config.yaml:16: 'timeout_seconds' is"),
        ("timeout_seconds: 300", "timeout_seconds: true", "expected a number above 0"),
        ("timeout_seconds: 300", "timeout_seconds: 0", "expected a number above 0"),
        ("timeout_seconds: 300", "timeout_seconds: .inf", "expected a number above 0"),
        ("registry_file", "registry", "config.yaml:17: unknown key 'registry'. Did you mean"),
        ('"known.json"', '""', "config.yaml:17: 'registry_file' is '', expected a text"),
        ('cache_dir: "models/"', "cache_dir: ''", "config.yaml:4: 'cache_dir' is ''"),
        ("auto_download: true", "auto_download:", "config.yaml:5: 'auto_download' is None"),
        (
            '    registry_file: "known.json"',
            "    cache_dir: other",
            "config.yaml:17: 'download.cache_dir' is there twice, first in line 4",
        ),
        ("  model_path:", "  torchvision:", "config.yaml:2: unknown key 'torchvision'"),
        ("  download:\n", "  download: &all\n    itself: *all\n", "unknown key 'itself'"),
    ],
)  # fmt: skip
def test_a_mistake_in_any_key_says_file_and_line(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = written(tmp_path, WHOLE.replace(old, new, 1))
    with pytest.raises(UsageError) as raised:
        resolve({"config": str(path)}, {}, tmp_path)
    assert said in str(raised.value)


def test_by_hand_the_network_is_open_where_only_auto_download_closes_it(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    settings = resolve({"config": str(path)}, {}, tmp_path)
    assert not settings.auto_download
    by_hand = settings.by_hand()
    assert (by_hand.closed_by, by_hand.network) == ("", "allow")
    assert "network" not in by_hand.origins
    closed = resolve({"config": str(path), "offline": True}, {}, tmp_path)
    assert closed.auto_download
    assert closed.by_hand().closed_by == "--pot-offline"


def test_the_environment_may_open_what_auto_download_closes(tmp_path: Path) -> None:
    path = written(tmp_path, SEED)
    settings = resolve({"config": str(path)}, {"POT_NETWORK": "allow"}, tmp_path)
    assert (settings.closed_by, settings.network) == ("", "allow")
