"""Each option: its values, where they may come from, and what a wrong one says."""

import pytest

PASSING = "def test_nothing(): pass"

WRONG = [
    ("--pot-preset=papr", "--pot-preset: unknown value 'papr'. Did you mean 'paper'?"),
    ("--pot-mock=nevr", "--pot-mock: unknown value 'nevr'. Did you mean 'never'?"),
    ("--pot-missing=fial", "--pot-missing: unknown value 'fial'. Did you mean 'fail'?"),
    ("--pot-network=blok", "--pot-network: unknown value 'blok'. Did you mean 'block'?"),
    ("--pot-device=gpu", "--pot-device: unknown value 'gpu'."),
    ("--pot-timeout=soon", "--pot-timeout: 'soon' is no time"),
    ("--pot-retries=-1", "--pot-retries: '-1' is no whole number of at least 0."),
    ("--pot-jobs=0", "--pot-jobs: '0' is no whole number of at least 1."),
    ("--pot-max-size=big", "--pot-max-size: 'big' is no size"),
    ("--pot-mirror=here", "--pot-mirror: 'here' is no mirror"),
    ("--pot-config=none.toml", "There is no configuration file none.toml."),
]


@pytest.mark.parametrize(("option", "said"), WRONG, ids=lambda value: value.split("=")[0])
def test_a_wrong_value_ends_the_run_with_its_place(
    pytester: pytest.Pytester, option: str, said: str
) -> None:
    pytester.makepyfile(PASSING)
    result = pytester.runpytest_inprocess(option)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert said in result.stderr.str()


def test_a_wrong_value_is_no_internal_error_under_xdist(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    result = pytester.runpytest_subprocess("-n2", "--pot-preset=papr")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "INTERNALERROR" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize(
    ("option", "shown"),
    [
        ("--pot-preset=paper", "preset=paper (--pot-preset)"),
        ("--pot-mock=never", "mock=never (--pot-mock)"),
        ("--pot-missing=fail", "missing=fail (--pot-missing)"),
        ("--pot-network=block", "network=block (--pot-network)"),
        ("--pot-offline", "network=block (--pot-offline)"),
        ("--pot-timeout=10m", "timeout=600.0 (--pot-timeout)"),
        ("--pot-retries=0", "retries=0 (--pot-retries)"),
        ("--pot-jobs=8", "jobs=8 (--pot-jobs)"),
        ("--pot-max-size=1GiB", "max_size=1073741824 (--pot-max-size)"),
        ("--pot-device=cuda:1", "device=cuda:1 (--pot-device)"),
        ("--pot-network=warm", "network=warm (--pot-network)"),
        ("--pot-affinity", "affinity=True (--pot-affinity)"),
        ("--pot-check-mutations", "check_mutations=True (--pot-check-mutations)"),
        ("--pot-mirror=https://a=https://b", "mirror=https://a=https://b (--pot-mirror)"),
    ],
)
def test_the_header_shows_each_value_and_its_origin(
    pytester: pytest.Pytester, option: str, shown: str
) -> None:
    pytester.makepyfile(PASSING)
    result = pytester.runpytest_inprocess(option)
    result.assert_outcomes(passed=1)
    header = next(line for line in result.outlines if line.startswith("potmodels: "))
    assert shown in header


def test_command_line_beats_environment_beats_pyproject(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(PASSING)
    pytester.makepyprojecttoml("[tool.potmodels]\npreset = 'test'\nretries = 1\njobs = 1\n")
    monkeypatch.setenv("POT_PRESET", "minimal")
    monkeypatch.setenv("POT_RETRIES", "2")
    result = pytester.runpytest_inprocess("--pot-preset=paper")
    result.stdout.fnmatch_lines(["potmodels: *preset=paper (--pot-preset)*"])
    result.stdout.fnmatch_lines(["potmodels: *retries=2 (POT_RETRIES)*"])
    result.stdout.fnmatch_lines(["potmodels: *jobs=1 (*pyproject.toml:4)*"])


def test_an_unknown_key_says_file_line_and_the_close_one(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    pytester.makepyprojecttoml("[tool.potmodels]\nprest = 'paper'\n")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*pyproject.toml:2: unknown key 'prest'. Did you mean 'preset'*?"])


def test_a_misspelt_variable_is_an_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makepyfile(PASSING)
    monkeypatch.setenv("POT_PRESETT", "paper")
    result = pytester.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*unknown variable 'POT_PRESETT'. Did you mean 'POT_PRESET'*"])


def test_seed_yaml_is_read_when_named_and_only_then(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    pytester.makefile(".yaml", config="models:\n  download:\n    auto_download: false\n")
    assert "potmodels: network" not in pytester.runpytest_inprocess().stdout.str()
    result = pytester.runpytest_inprocess("--pot-config=config.yaml")
    result.stdout.fnmatch_lines(["potmodels: *network=block (auto_download: false in *yaml:3)*"])


def test_help_names_every_option_with_its_variable(pytester: pytest.Pytester) -> None:
    said = " ".join(pytester.runpytest_inprocess("--help").stdout.str().split())
    for option in ("preset", "cache-dir", "mock", "missing", "network", "timeout", "retries",
                   "jobs", "max-size", "device", "mirror", "config", "offline"):  # fmt: skip
        assert f"--pot-{option}" in said
    assert "[POT_PRESET]" in said
    assert "[POT_MIRRORS]" in said


def test_without_settings_and_without_models_there_is_no_header_and_no_section(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("POT_CACHE_DIR", "POT_MIRRORS", "HF_ENDPOINT"):
        monkeypatch.delenv(name)
    pytester.makepyfile(PASSING)
    said = pytester.runpytest_inprocess().stdout.str()
    assert "potmodels:" not in said
    assert "models ==" not in said
