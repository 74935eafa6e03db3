"""The CI workflow: pinned, without rights it does not need, and with the Makefile's own lines."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from docs.markdown import ROOT

TEXT = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
WORKFLOW = yaml.safe_load(TEXT)
JOBS: dict[str, Any] = WORKFLOW["jobs"]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def steps() -> Iterator[dict[str, Any]]:
    for job in JOBS.values():
        yield from job["steps"]


def test_it_may_read_and_nothing_else() -> None:
    assert WORKFLOW["permissions"] == {}
    for job in JOBS.values():
        assert job.get("permissions", {}) in ({}, {"contents": "read"})


def test_every_action_is_pinned_by_commit_with_its_version_beside() -> None:
    uses = re.findall(r"uses: (.*)", TEXT)
    assert uses
    for line in uses:
        assert re.fullmatch(r"actions/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_no_expression_reaches_a_shell() -> None:
    assert not [step["run"] for step in steps() if "${{" in step.get("run", "")]


def test_every_job_ends_and_the_last_waits_for_all_others() -> None:
    assert all(job["timeout-minutes"] for job in JOBS.values())
    assert JOBS["green"]["if"] == "always()"
    assert set(JOBS["green"]["needs"]) == set(JOBS) - {"green"}


def test_it_covers_the_systems_and_the_oldest_python() -> None:
    matrix = JOBS["test"]["strategy"]["matrix"]
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    oldest = re.search(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text("utf-8"))
    assert oldest
    assert min(matrix["python"], key=lambda text: int(text.partition(".")[2])) == oldest[1]


@pytest.mark.parametrize("page", [".github/workflows/ci.yml", ".github/CONTRIBUTING.md"])
def test_without_make_the_same_is_installed(page: str) -> None:
    ours = {line.replace('"', "") for line in re.findall(r"\$\(PIP_INSTALL\) (.*)", MAKEFILE)[:4]}
    text = (ROOT / page).read_text(encoding="utf-8").replace('"', "")
    for line in ours:
        assert line.replace("==2.13.0", "") in text.replace("==2.13.0", ""), line
    assert "-m not slow" in text


def test_make_targets_exist() -> None:
    for step in steps():
        for words in re.findall(r"make ([a-z -]+)", step.get("run", "")):
            for target in words.split():
                assert re.search(rf"^{target}:", MAKEFILE, re.MULTILINE), target
