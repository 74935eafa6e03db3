"""Faults planted in action.yml: each is found by running it, or by GitHub's own parser."""

import shutil
import subprocess
from pathlib import Path

import pytest
from action.jobs import ACTION, HARNESS
from action.project import Project, steps

pytestmark = pytest.mark.slow


def _planted(folder: Path, right: str, wrong: str) -> Path:
    """A copy of the Action with one fault."""
    copy = folder / "faulty" / "action"
    shutil.copytree(ACTION, copy)
    file = copy / "action.yml"
    text = file.read_text(encoding="utf-8")
    assert right in text
    file.write_text(text.replace(right, wrong, 1), encoding="utf-8")
    return copy


@pytest.mark.parametrize(
    ("right", "wrong", "says"),
    [
        ("inputs.lockfile }}", "inputs.lokfile }}", "no inputs.lokfile is declared"),
        ("${{ inputs.select }}", "${{ input.select }}", "input"),
        ("steps.install.outputs", "steps.instal.outputs", "no steps.instal is declared"),
        ("steps.keys.outputs.restore ==", "steps.keys.output.restore ==", "has no 'output'"),
        ("warm.outputs.save-needed", "warm.outputs.save-need", "has no output 'save-need'"),
        ("again.outputs.cache-matched-key", "again.outputs.matched-key", "has no output"),
        ("restore-keys: ", "retsore-keys: ", "Unexpected input(s) 'retsore-keys'"),
        ("- id: restored", "- id: found", "share one id"),
        ("POT_ACTION_CACHE_DIR", "POT_ACTION_CACHEDIR", "cache-dir"),
        ("      shell: bash\n", "", "shell"),
    ],
)
def test_running_it_finds_a_fault(project: Project, right: str, wrong: str, says: str) -> None:
    job = project.job()
    job.actions["./action"] = _planted(project.folder, right, wrong)
    result = job.run(steps())
    told = [said["message"] for said in result.annotations if said["level"] != "debug"]
    assert any(says in said for said in told)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("${{ inputs.select }}", "${{ secrets.SELECT }}"),
        ("${{ inputs.select }}", "${{ alwys() }}"),
        ("      shell: bash\n", ""),
        ("using: composite", "using: composit"),
        ("branding:", "brandig:"),
    ],
)
def test_the_parser_finds_a_fault(project: Project, right: str, wrong: str) -> None:
    file = _planted(project.folder, right, wrong) / "action.yml"
    words = ["node", str(HARNESS / "lint.mjs"), str(file)]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert str(file) in said.stdout
