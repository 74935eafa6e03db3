"""`potmodels experiment`: run, compare, list."""

import json
from pathlib import Path

import pytest
from cli.harness import Cli

TRAIN = """
import random

import torch

def run(context):
    print("training")
    return {
        "loss": torch.rand(()), "drawn": random.random(), "lr": context.parameters.get("lr"),
        "nest": {"word": "fine"},
    }

def broken(context):
    inner()

def inner():
    raise ValueError("no data")

def interrupted(context):
    raise KeyboardInterrupt

def leaving(context):
    raise SystemExit(0)

def silent(context):
    pass
"""
TEST = ("--set", "model_architecture=test")
RUN = ("experiment", "run")


@pytest.fixture
def train(cli: Cli) -> Path:
    file = cli.folder / "train.py"
    file.write_text(TRAIN)
    return file


def results(cli: Cli) -> list[Path]:
    return sorted(cli.folder.glob("experiments/*/*.json"))


def test_a_run_says_what_ran_and_where_the_result_is(cli: Cli, train: Path) -> None:
    said = cli.run(*RUN, "train.py", *TEST, "--set", "parameters.lr=0.5").stdout
    (result,) = results(cli)
    assert "training\n" in said
    assert "mock:vision, a MOCK without real weights, as asked for" in said
    assert "unchanged by the function" in said
    assert [line.split() for line in said.splitlines() if line.startswith("lr ")] == [["lr", "0.5"]]
    assert "nest.word" in said
    assert f"result: {result.relative_to(cli.folder)}" in said


def test_the_command_line_changes_a_plan_from_a_file(cli: Cli, train: Path) -> None:
    (cli.folder / "plan.yaml").write_text(
        "experiment_name: digits\nmodel_architecture: test\n"
        "parameters: {lr: 0.1, steps: 3, deep: {a: 1, b: 2}}\n"
    )
    made = cli.json(
        *RUN, "train.py", "--config", "plan.yaml", "--seed", "7", "--repeats", "2",
        "--set", "parameters.lr=0.5", "--set", "description=a word", "--set", 'tags=["a"]',
        "--set", "parameters.deep.b=x=y", "--set", "parameters. new .c=[1]",
    )  # fmt: skip
    config = made["config"]
    assert (config["experiment_name"], config["seed"], config["repeats"]) == ("digits", 7, 2)
    deep = {"deep": {"a": 1, "b": "x=y"}, "new": {"c": [1]}}
    assert config["parameters"] == {"lr": 0.5, "steps": 3, **deep}
    assert (config["description"], config["tags"]) == ("a word", ["a"])
    assert [repeat["metrics"]["lr"] for repeat in made["repeats"]] == [0.5, 0.5]
    assert cli.json(*RUN, "train.py", "--config", "plan.yaml", "--name", "x")["name"] == "x"


def test_with_json_stdout_is_one_document_whatever_the_function_prints(
    cli: Cli, train: Path
) -> None:
    said = cli.run(*RUN, "train.py", *TEST, "--json")
    assert json.loads(said.stdout)["status"] == "finished"
    assert "training" in said.stderr


def test_several_repeats_have_a_mean_and_bounds(cli: Cli, train: Path) -> None:
    said = cli.run(*RUN, "train.py", *TEST, "--repeats", "3").stdout
    lines = {line.split()[0]: line.split() for line in said.splitlines() if line.strip()}
    assert lines["METRIC"] == ["METRIC", "MEAN", "DEVIATION", "LEAST", "MOST"]
    least, mean, most = (float(lines["loss"][column]) for column in (3, 1, 4))
    assert 0 < least < mean < most < 1
    assert lines["nest.word"] == ["nest.word", "fine", "-", "-", "-"]
    assert len(lines["seed"]) == 4


def test_a_stand_in_is_said_on_both_streams(cli: Cli, train: Path) -> None:
    said = cli.run(*RUN, "train.py", "--offline")
    assert "a MOCK that stands in for minimal (not-cached)" in said.stdout
    assert "warning: Using mock for" in said.stderr
    assert "a mock" not in cli.fails(*RUN, "train.py", "--offline", "--set",
                                     "fallback_to_mock=false", code=3)  # fmt: skip
    assert cli.json("experiment", "list")[-1]["status"] == "failed"


def test_an_error_of_the_function_shows_the_users_lines_and_no_others(
    cli: Cli, train: Path
) -> None:
    said = cli.run(*RUN, "train.py:broken", *TEST, code=1).stderr
    lines = [line.strip() for line in said.splitlines() if line.strip().startswith("File")]
    assert len(lines) == 2
    assert all(line.startswith(f'File "{train}", line ') for line in lines)
    assert "error: broken of train.py: ValueError: no data" in said
    (result,) = results(cli)
    assert f"recorded as failed in {result.relative_to(cli.folder)}" in said
    everything = cli.run(*RUN, "train.py:broken", *TEST, "--debug", code=1).stderr
    assert "runner.py" in everything


@pytest.mark.parametrize(
    ("function", "code", "status", "said"),
    [
        ("interrupted", 130, "interrupted", "KeyboardInterrupt"),
        ("leaving", 1, "failed", "SystemExit"),
        ("silent", 1, "failed", "expected a dict of metrics"),
    ],
)
def test_other_ends_of_a_function(
    function: str, code: int, status: str, said: str, cli: Cli, train: Path
) -> None:
    ended = cli.run(*RUN, f"train.py:{function}", *TEST, "--json", code=code)
    made = json.loads(ended.stdout)
    assert made["status"] == status
    assert said in ended.stderr
    assert made["failure"]["during"] == "function"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gone.py",), "There is no file gone.py"),
        (("train.py:brokn",), "Did you mean 'broken'?"),
        (("train.py", "--set", "lr=0.1"), "--set lr=0.1: unknown key 'lr'"),
        (("train.py", "--set", "lr=0.1"), "parameters.lr"),
        (("train.py", "--set", "sed=7"), "Did you mean 'seed'?"),
        (("train.py", "--set", "seed"), "--set seed: expected KEY=VALUE"),
        (("train.py", "--set", "parameters.=1"), "expected KEY=VALUE"),
        (("train.py", "--set", "parameters.a=1", "--set", "parameters.a.b=1"), "which is no table"),
        (("train.py", "--set", f"seed={'[' * 20_000}"), "expected a whole number"),
        (("train.py", "--set", f"seed={'9' * 5000}"), "expected a whole number"),
        (("train.py", "--set", "seed=1.5"), "--set seed=1.5: seed is 1.5, expected a whole"),
        (("train.py", "--set", "seed=1\nrepeats=2"), "expected a whole number"),
        (("train.py", "--seed", "-1"), "--seed: seed is -1, expected a whole number"),
        (("train.py", "--repeats", "0"), "--repeats: repeats is 0"),
        (("train.py", "--name", "a/b"), "--name: experiment_name 'a/b' is no name"),
        (("train.py", "--config", "plan.toml"), "There is no configuration file plan.toml"),
        (("train.py", "--set", "model_architecture=minimall"), "Did you mean 'minimal'"),
    ],
)
def test_what_cannot_be_meant(words: tuple[str, ...], said: str, cli: Cli, train: Path) -> None:
    assert said in cli.fails(*RUN, *words, code=2)


def test_compare_names_what_differs_and_its_code_says_whether_metrics_do(
    cli: Cli, train: Path
) -> None:
    for seed in ("1", "1", "2"):
        cli.run(*RUN, "train.py", *TEST, "--seed", seed)
    by_seed = {each["seed"]: each["path"] for each in cli.json("experiment", "list")}
    first = next(each["path"] for each in cli.json("experiment", "list") if each["seed"] == 1)
    compared = ("experiment", "compare")
    same = cli.run(*compared, first, by_seed[1]).stdout
    assert same == "same plan, same machine, metrics bit-equal\n"
    other = cli.run(*compared, first, by_seed[2], code=1).stdout
    assert "seed    seed   1" in other
    assert other.endswith("different plans, same machine, 2 of 4 metrics differ\n")
    assert cli.run(*compared, first, by_seed[2], "--tolerance", "1").stdout.endswith("within 1\n")
    found = cli.json(*compared, first, by_seed[2], code=1)
    assert {each["what"] for each in found["differences"]} == {"seed", "metric"}
    assert "tolerance" in cli.fails(*compared, first, first, "--tolerance", "-1", code=2)
    assert "gone.json" in cli.fails(*compared, first, "gone.json", code=2)


def test_a_list_has_a_line_per_result_and_names_damaged_ones(cli: Cli, train: Path) -> None:
    cli.run(*RUN, "train.py", *TEST)
    cli.run(*RUN, "train.py:broken", *TEST, code=1)
    (cli.folder / "experiments" / "train" / "zzz.json").write_text("{")
    said = cli.run("experiment", "list")
    head, *rows, total = said.stdout.splitlines()
    assert head.split() == ["NAME", "RUN", "STATUS", "MODEL", "SEED", "REPEATS", "METRICS"]
    assert [row.split()[2] for row in rows] == ["finished", "failed", "damaged"]
    assert total == "3 results in experiments"
    assert "zzz.json is no result of an experiment" in said.stderr
    assert [each["status"] for each in cli.json("experiment", "list")] == [
        "finished", "failed", "damaged",
    ]  # fmt: skip
    assert "There is no folder elsewhere" in cli.fails("experiment", "list", "elsewhere", code=2)


def test_comparing_and_listing_import_no_framework(cli: Cli, train: Path) -> None:
    cli.run(*RUN, "train.py", *TEST)
    (result,) = map(str, results(cli))
    heavy = ("torch", "torchvision", "transformers", "numpy", "huggingface_hub", "yaml")
    for words in (("compare", result, result), ("list",)):
        said = cli.process("experiment", *words, imports=heavy)
        assert said.stderr == "imported:\n"


def test_the_group_has_help_and_a_misspelt_command_close_matches(cli: Cli) -> None:
    assert "compare" in cli.run("experiment").stdout
    assert "Example: potmodels experiment run" in cli.run("experiment", "run", "--help").stdout
    assert "Did you mean 'compare'?" in cli.fails("experiment", "comapre", code=2)
