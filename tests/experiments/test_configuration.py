"""ExperimentConfig, in Python and in files."""

import json
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.experiments import ExperimentConfig

TOML = """\
experiment_name = "digits"
model_architecture = "resnet18"

repeats = 3
tags = ["first", "cpu"]

[parameters]
lr = 0.1
steps = [1, 2]
"""
YAML = """\
experiment_name: digits
model_architecture: resnet18

repeats: 3
tags: [first, cpu]
parameters:
  lr: 0.1
  steps: [1, 2]
"""
JSON = """\
{
  "experiment_name": "digits", "model_architecture": "resnet18",
\t"repeats": 3,
  "tags": ["first", "cpu"],
  "parameters": {"lr": 0.1, "steps": [1, 2]}
}
"""


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("experiment_name", "", "no name for a folder"),
        ("experiment_name", "../up", "no name for a folder"),
        ("experiment_name", "a/b", "no name for a folder"),
        ("experiment_name", "dot.", "no name for a folder"),
        ("experiment_name", "NUL", "no name for a folder"),
        ("experiment_name", "com1.txt", "no name for a folder"),
        ("experiment_name", "x" * 101, "no name for a folder"),
        ("experiment_name", 3, "expected a string"),
        ("model_type", "visoin", "Did you mean 'vision'?"),
        ("model_architecture", " ", "is empty"),
        ("seed", -1, "expected a whole number from 0 to 4294967295"),
        ("seed", 2**32, "expected a whole number"),
        ("seed", True, "expected a whole number"),
        ("seed", 1.0, "expected a whole number"),
        ("repeats", 0, "expected a whole number at least 1"),
        ("threads", 0, "expected a whole number at least 1"),
        ("device", "cdua", "Did you mean 'cuda'?"),
        ("device", "auto", "unknown device 'auto'"),
        ("deterministic", "require ", "Did you mean 'require'?"),
        ("deterministic", True, "unknown deterministic 'True'"),
        ("fallback_to_mock", "no", "expected true or false"),
        ("expected_checksum", "abc123...", "expected a sha256 of 64 hex digits"),
        ("memory_limit_mb", 0, "expected a number above 0"),
        ("memory_limit_mb", float("nan"), "expected a number above 0"),
        ("output_dir", "", "expected a folder"),
        ("tags", "cpu", "expected a list of strings"),
        ("tags", [1], "expected a list of strings"),
        ("parameters", [], "expected a table"),
        ("parameters", {"where": Path("x")}, "parameters.where is "),
    ],
)
def test_a_value_that_cannot_be_meant(key: str, value: Any, said: str) -> None:
    values: dict[str, Any] = {"experiment_name": "digits", key: value}
    with pytest.raises(UsageError) as raised:
        ExperimentConfig(**values)
    assert raised.value.message.startswith(f"ExperimentConfig.{key}: ")
    assert said in raised.value.message

    config = ExperimentConfig("digits")
    setattr(config, key, value)  # Mutable, so it is checked again before it is used.
    with pytest.raises(UsageError):
        config.check()


def test_a_field_that_does_not_exist_cannot_be_set() -> None:
    config = ExperimentConfig("digits")
    with pytest.raises(AttributeError):
        config.sed = 7  # type: ignore[attr-defined]


def test_two_plans_share_no_lists() -> None:
    one, two = ExperimentConfig("one"), ExperimentConfig("two")
    one.tags.append("x")
    one.parameters["lr"] = 1
    assert (two.tags, two.parameters) == ([], {})


@pytest.mark.parametrize(("form", "text"), [("toml", TOML), ("yaml", YAML), ("json", JSON)])
def test_a_file_has_the_fields_as_keys(form: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / f"plan.{form}"
    file.write_text(text, encoding="utf-8")
    expected = ExperimentConfig(
        "digits",
        model_architecture="resnet18",
        repeats=3,
        tags=["first", "cpu"],
        parameters={"lr": 0.1, "steps": [1, 2]},
    )
    assert ExperimentConfig.from_file(file) == expected
    other = file.rename(tmp_path / "plan.conf")
    assert getattr(ExperimentConfig, f"from_{form}")(other) == expected


@pytest.mark.parametrize(("form", "text"), [("toml", TOML), ("yaml", YAML), ("json", JSON)])
@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("repeats", "repaets", "unknown key 'repaets'. Did you mean 'repeats'?"),
        ("3", "0", "repeats is 0, expected a whole number at least 1"),
    ],
    ids=["key", "value"],
)
def test_a_mistake_is_told_with_file_and_line(
    form: str, text: str, before: str, after: str, said: str, tmp_path: Path
) -> None:
    file = tmp_path / f"plan.{form}"
    file.write_text(text.replace(before, after), encoding="utf-8")
    line = 3 if form == "json" else 4
    with pytest.raises(UsageError) as raised:
        ExperimentConfig.from_file(file)
    assert raised.value.message.startswith(f"{file}:{line}: ")
    assert said in raised.value.message


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("plan.toml", "seed = ", "is no valid TOML"),
        ("plan.yaml", "seed: [", "is no valid YAML"),
        ("plan.json", '{"seed": ', "is no valid JSON"),
        ("plan.json", "[" * 100_000, "is no valid JSON"),
        ("plan.yaml", "- seed", "holds list, expected keys"),
        ("plan.yaml", "", "holds NoneType, expected keys"),
        ("plan.json", "[]", "holds list, expected keys"),
        (
            "plan.json",
            '{"seed": 1,\n "tags": [],\n "seed": 2}',
            "plan.json:3: 'seed' is there twice",
        ),
        ("plan.yaml", "seed: 1\nseed: 2", "plan.yaml:2: 'seed' is there twice"),
        ("plan.toml", "seed = 1", "has no `experiment_name`"),
        ("plan.json", "{}", "has no `experiment_name`"),
        ("plan.ini", "[x]", "unknown kind of file 'plan.ini'"),
        ("plan.toml", b"\xff", "is no valid TOML"),
        ("plan.yaml", b"\xff", "is no valid YAML"),
        ("plan.json", b"\xff", "is no valid JSON"),
        ("pyproject.toml", "[tool.potmodels]", "holds no experiment"),
    ],
)
def test_a_file_that_is_no_plan(name: str, text: str | bytes, said: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    with pytest.raises(UsageError) as raised:
        ExperimentConfig.from_file(file)
    assert said in raised.value.message
    assert name in raised.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="There is no configuration file"):
        ExperimentConfig.from_file(tmp_path / "plan.toml")


def test_yaml_runs_no_code(tmp_path: Path) -> None:
    file = tmp_path / "plan.yaml"
    file.write_text("experiment_name: !!python/object/apply:os.mkdir [gone]\n")
    with pytest.raises(UsageError, match="is no valid YAML"):
        ExperimentConfig.from_file(file)


def test_an_exponent_is_a_number_in_every_form(tmp_path: Path) -> None:
    numbers = ["1e-3", "1E5", "-2.5e+3", "1.e3"]
    file = tmp_path / "plan.yaml"
    file.write_text(
        f"experiment_name: digits\nparameters: {{lr: [{', '.join(numbers)}, 1e, e3]}}\n"
    )
    lr = ExperimentConfig.from_file(file).parameters["lr"]
    assert lr == [*map(float, numbers), "1e", "e3"]


def test_a_relative_output_dir_starts_at_its_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps({"experiment_name": "digits", "output_dir": "results"}))
    assert ExperimentConfig.from_file(file).output_dir == tmp_path / "results"


def test_close_matches_are_on_the_error() -> None:
    with pytest.raises(UnknownNameError) as raised:
        ExperimentConfig("digits", model_type="langauge")
    assert raised.value.matches == ["language"]
