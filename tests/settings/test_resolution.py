"""Command line > environment > configuration > default, and where each value is from."""

from pathlib import Path

import pytest

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.lut.pretrained_files import VARIABLE
from pytest_potmodels.settings.environment import LUT_PATH
from pytest_potmodels.settings.options import ALL
from pytest_potmodels.settings.resolution import resolve


def project(folder: Path, table: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.potmodels]\n{table}\n")
    return folder


def test_defaults_are_what_the_option_table_says(tmp_path: Path) -> None:
    settings = resolve({}, {}, tmp_path)
    assert settings.origins == {}
    for option in ALL:
        if option.choices:
            assert getattr(settings, option.key) == option.choices[0]
    assert settings.cache_dir == Path.home() / ".cache" / "pot_experiments"
    assert (settings.timeout, settings.retries, settings.jobs) == (600, 5, 4)
    assert settings.max_size == 5_000_000_000
    assert (settings.affinity, settings.check_mutations) == (False, False)
    assert (settings.derived_dir, settings.memory) == (None, None)
    assert settings.non_defaults() == []


@pytest.mark.parametrize(
    ("key", "file", "env", "given", "expected"),
    [
        ("preset", "'test'", "minimal", "paper", ("test", "minimal", "paper")),
        ("mock", "'never'", "always", "missing", ("never", "always", "missing")),
        ("timeout", "5", "10m", "1h", (5, 600, 3600)),
        ("retries", "0", "1", "2", (0, 1, 2)),
        ("max_size", "'1MB'", "1MiB", "1.5GB", (10**6, 2**20, 1_500_000_000)),
        ("device", "'auto'", "cuda:1", "cpu", ("auto", "cuda:1", "cpu")),
        ("network", "'block'", "warm", "allow", ("block", "warm", "allow")),
        ("affinity", "true", "0", True, (True, False, True)),
        ("check_mutations", "false", "on", True, (False, True, True)),
    ],
)
def test_precedence(
    tmp_path: Path, key: str, file: str, env: str, given: object, expected: tuple[object, ...]
) -> None:
    start = project(tmp_path, f"{key} = {file}")
    variable = {f"POT_{key.upper()}": env}
    found = (
        resolve({}, {}, start),
        resolve({}, variable, start),
        resolve({key: given}, variable, start),
    )
    assert tuple(getattr(settings, key) for settings in found) == expected
    assert found[0].origins[key].endswith("pyproject.toml:2")
    assert found[1].origins[key] == f"POT_{key.upper()}"
    assert found[2].origins[key] == f"--pot-{key.replace('_', '-')}"


def test_mirrors_are_a_list_in_every_place(tmp_path: Path) -> None:
    start = project(tmp_path, "mirror = ['https://a=https://b', 'http://c/d=http://e?x=y']")
    rules = (("https://a", "https://b"), ("http://c/d", "http://e?x=y"))
    assert resolve({}, {}, start).mirror == rules
    variable = {"POT_MIRRORS": " https://a=https://b\nhttp://c/d=http://e?x=y "}
    assert resolve({}, variable, tmp_path / "none").mirror == rules
    given = {"mirror": ["https://a=https://b", "http://c/d=http://e?x=y"]}
    assert resolve(given, {}, tmp_path / "none").mirror == rules


def test_a_relative_cache_lies_beside_the_file_that_names_it(tmp_path: Path) -> None:
    start = project(tmp_path, "cache_dir = 'models'")
    assert resolve({}, {}, start).cache_dir == tmp_path / "models"
    assert resolve({"cache_dir": "models"}, {}, start).cache_dir == Path.cwd() / "models"


def test_with_a_cache_folder_nobody_needs_a_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(path: str) -> str:
        return path  # As the real one does where nobody knows the user.

    monkeypatch.setattr("os.path.expanduser", unknown)
    with pytest.raises(RuntimeError, match="home"):
        Path.home()
    assert resolve({"cache_dir": "models"}, {}, tmp_path).cache_dir == Path.cwd() / "models"


def test_the_nearest_configuration_up_to_the_repository_counts(tmp_path: Path) -> None:
    project(tmp_path, "preset = 'paper'")
    below = tmp_path / "repository" / "package"
    below.mkdir(parents=True)
    assert resolve({}, {}, below).preset == "paper"
    (tmp_path / "repository" / ".git").mkdir()
    assert resolve({}, {}, below).preset == "minimal"
    (below.parent / "potmodels.toml").write_text("preset = 'test'")
    assert resolve({}, {}, below).preset == "test"


def test_a_package_that_only_depends_on_us_does_not_hide_the_table_above(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    project(tmp_path, "preset = 'paper'")
    for folder in (tmp_path / "a", tmp_path / "a" / "b"):
        folder.mkdir()
        (folder / "pyproject.toml").write_text("dependencies = ['pytest-potmodels']")
    assert resolve({}, {}, tmp_path / "a" / "b").preset == "paper"
    (tmp_path / "a" / ".git").mkdir()
    assert resolve({}, {}, tmp_path / "a" / "b").preset == "minimal"


def test_a_pyproject_that_only_depends_on_us_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\ndependencies = ['pytest-potmodels']\n")
    assert resolve({}, {}, tmp_path).config is None


@pytest.mark.parametrize("name", ["HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"])
@pytest.mark.parametrize(
    ("value", "closed"), [("1", True), ("YES", True), ("0", False), ("", False)]
)
def test_hugging_faces_switches_close_the_network(
    tmp_path: Path, name: str, value: str, *, closed: bool
) -> None:
    settings = resolve({}, {name: value}, tmp_path)
    assert (settings.network == "block") is closed
    assert settings.closed_by == (f"{name}={value}" if closed else "")


def test_the_offline_option_says_so(tmp_path: Path) -> None:
    assert resolve({"offline": True}, {}, tmp_path).closed_by == "--pot-offline"


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"CI": "true"}, "CI"),
        ({"CI": "false", "GITLAB_CI": "true"}, "GITLAB_CI"),
        ({"JENKINS_URL": "https://ci"}, "JENKINS_URL"),
        ({"TEAMCITY_VERSION": "1", "PYCHARM_HOSTED": "1"}, ""),
        ({"TEAMCITY_VERSION": "2026.1"}, "TEAMCITY_VERSION"),
        ({"CI": "0"}, ""),
    ],
)
def test_ci_is_detected_and_makes_a_missing_model_fail(
    tmp_path: Path, environ: dict[str, str], variable: str
) -> None:
    settings = resolve({}, environ, tmp_path)
    assert settings.ci == variable
    assert settings.missing == ("fail" if variable else "skip")


def test_the_hub_is_where_hf_endpoint_says(tmp_path: Path) -> None:
    settings = resolve({}, {"HF_ENDPOINT": "https://hub.example/"}, tmp_path)
    assert settings.hub_endpoint == "https://hub.example"
    assert settings.origins["hub_endpoint"] == "HF_ENDPOINT"


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("prest = 'paper'", "pyproject.toml:2: unknown key 'prest'. Did you mean 'preset'"),
        ("preset = 'papr'", "pyproject.toml:2: unknown value 'papr'. Did you mean 'paper'?"),
        ("jobs = 'many'", "pyproject.toml:2: 'many' is no whole number of at least 1."),
        ("models = 3", "'models' is no table"),
        ("preset = 'mine'\npresets = 3", "unknown value 'mine'"),
        ("mirror = 3", "pyproject.toml:2: 3 is no list of mirrors"),
        ("cache_dir = true", "pyproject.toml:2: True is no path"),
        ("preset = ", "is no valid TOML"),
    ],
)
def test_a_wrong_table_says_file_and_line(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(UsageError) as raised:
        resolve({}, {}, project(tmp_path, table)).own_tables  # noqa: B018
    assert said in str(raised.value)


def test_a_users_preset_is_a_value_of_preset(tmp_path: Path) -> None:
    start = project(tmp_path, "preset = 'mine'\n[tool.potmodels.presets.mine]\nvision = 'resnet18'")
    assert resolve({}, {}, start).preset == "mine"


def test_a_variable_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    resolve({}, {"POT_FILE": "messages.pot", "POTHOLE": "1"}, tmp_path)
    with pytest.raises(UnknownNameError, match="POT_CACHE_DIR"):
        resolve({}, {"POT_CACHEDIR": "x"}, tmp_path)
    with pytest.raises(UnknownNameError, match="POT_LUT_PATH"):
        resolve({}, {"POT_LUTPATH": "x"}, tmp_path)
    assert resolve({}, {LUT_PATH: "x"}, tmp_path).origins == {}


def test_folders_of_lut_networks_are_named_by_the_variable_that_finds_them() -> None:
    assert LUT_PATH == VARIABLE


def test_a_password_in_a_mirror_is_not_shown(tmp_path: Path) -> None:
    settings = resolve({"mirror": ["https://a=https://user:secret@b"]}, {}, tmp_path)
    assert "secret" not in " ".join(settings.non_defaults())
