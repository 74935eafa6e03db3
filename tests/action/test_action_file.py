"""action.yml as it is written: what it declares is what it passes on, and what the README says."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from action.jobs import ACTION, CACHE_ACTIONS, HARNESS, ROOT, require_runner

import pytest_potmodels
from pytest_potmodels.ci.inputs import INPUTS, variable
from pytest_potmodels.ci.outputs import after_warming

FILE = ACTION / "action.yml"
README = ACTION / "README.md"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.fixture(scope="module")
def action() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


@pytest.fixture(scope="module")
def steps(action: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {step["id"]: step for step in action["runs"]["steps"]}


def test_the_action_is_thin() -> None:
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 100


def test_its_inputs_are_those_of_the_command(action: dict[str, Any]) -> None:
    assert set(action["inputs"]) == set(INPUTS)


def test_each_input_reaches_both_commands_and_the_token_only_one(
    steps: dict[str, dict[str, Any]],
) -> None:
    wanted = {variable(name): f"${{{{ inputs.{name} }}}}" for name in INPUTS}
    passed = {
        name: {word: value for word, value in steps[name]["env"].items() if value.startswith("${{")}
        for name in ("keys", "warm")
    }
    assert {each.pop("PYTHON") for each in passed.values()} == {
        "${{ steps.install.outputs.python }}"
    }
    assert passed["warm"] == wanted
    del wanted[variable("token")]
    assert passed["keys"] == wanted
    others = [step for name, step in steps.items() if name != "warm"]
    assert "inputs.token" not in str(others)


def test_what_an_earlier_use_in_the_job_closed_is_open_to_warming(
    steps: dict[str, dict[str, Any]],
) -> None:
    closed = set(after_warming(Path("cache"), offline=True)) - {"POT_CACHE_DIR"}
    empty = {word for word, value in steps["warm"]["env"].items() if value == ""}
    assert empty == closed


def test_no_expression_is_in_a_script(steps: dict[str, dict[str, Any]]) -> None:
    assert not [name for name, step in steps.items() if "${{" in step.get("run", "")]


def test_it_installs_its_own_version(steps: dict[str, dict[str, Any]]) -> None:
    assert steps["install"]["env"]["VERSION"] == pytest_potmodels.__version__


def test_nested_actions_are_pinned_and_get_inputs_they_have(
    steps: dict[str, dict[str, Any]],
) -> None:
    nested = [step for step in steps.values() if "uses" in step]
    for step in nested:
        name, _, commit = step["uses"].partition("@")
        assert re.fullmatch(r"[0-9a-f]{40}", commit)
        callee = yaml.safe_load((CACHE_ACTIONS[name] / "action.yml").read_text(encoding="utf-8"))
        assert set(step["with"]) <= set(callee["inputs"])
    pins = re.findall(
        r"uses: \S+@\S+ # v\d+\.\d+\.\d+$", FILE.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert len(pins) == len(nested) > 0


def test_entries_are_the_same_for_every_system(steps: dict[str, dict[str, Any]]) -> None:
    """The path and this switch are part of what the service compares."""
    ways = {
        (step["with"]["path"], step["with"]["enableCrossOsArchive"])
        for step in steps.values()
        if "uses" in step
    }
    assert ways == {("${{ steps.keys.outputs.cache-dir }}", True)}


@pytest.mark.parametrize("table", ["inputs", "outputs"])
def test_the_readme_lists_what_the_file_declares(action: dict[str, Any], table: str) -> None:
    section = README.read_text(encoding="utf-8").split(f"## {table.title()}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| *`?([^`|]*)`? *", section, re.MULTILINE)
    assert [name for name, _ in rows] == list(action[table])
    if table == "inputs":
        declared = {name: said["default"] for name, said in action["inputs"].items()}
        assert dict(rows) == declared


def _workflows() -> list[tuple[str, str]]:
    """This project's, and those of the README; a block there may be a step alone."""
    own = [(path.name, path.read_text(encoding="utf-8")) for path in WORKFLOWS]
    blocks = re.findall(
        r"^```yaml\n(.*?)^```", README.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return [*own, *((f"readme-{number}.yml", text) for number, text in enumerate(blocks, 1))]


def _steps(text: str) -> list[dict[str, Any]]:
    found = yaml.safe_load(text)
    if isinstance(found, list):
        return found
    return [step for job in found["jobs"].values() for step in job["steps"]]


@pytest.mark.parametrize("text", [text for _, text in _workflows()], ids=dict(_workflows()))
def test_workflows_give_it_inputs_that_it_has(action: dict[str, Any], text: str) -> None:
    """GitHub only warns of others, and takes the default."""
    for step in _steps(text):
        if re.search(r"/action$|/potmodels-action@", step.get("uses", "")):
            assert set(step.get("with", {})) <= set(action["inputs"])
    assert set(re.findall(r"steps\.models\.outputs\.([\w-]+)", text)) <= set(action["outputs"])


def test_githubs_own_parser_finds_nothing(tmp_path: Path) -> None:
    require_runner()
    files = [FILE]
    for name, text in _workflows():
        if isinstance(yaml.safe_load(text), dict):
            files.append(tmp_path / name)
            files[-1].write_text(text, encoding="utf-8")
    words = ["node", str(HARNESS / "lint.mjs"), *map(str, files)]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    assert said.stdout == f"0 findings in {len(files)} files\n"
    assert len(files) >= 4
