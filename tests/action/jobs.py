"""Jobs of a workflow, run by the composite runner in `harness/`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HARNESS = Path(__file__).parent / "harness"
ROOT = HARNESS.parents[2]
ACTION = ROOT / "action"
#: What stands for the cache steps of GitHub: the same inputs, by GitHub's own client.
CACHE_ACTIONS = {
    f"actions/cache/{name}": HARNESS / "cache_actions" / name for name in ("restore", "save")
}
Step = Mapping[str, Any]


@cache
def why_not() -> str:
    """Why the action cannot be run on this machine; empty where it can."""
    if sys.platform == "win32":
        return "the jobs of these tests say that they run on Linux"
    missing = [name for name in ("node", "bash", "tar") if shutil.which(name) is None]
    if missing:
        return f"{missing[0]} is not installed: the action runs by it"
    if not (HARNESS / "node_modules" / "@actions" / "cache").exists():
        return "the packages of tests/action/harness are not installed: npm ci, in that folder"
    said = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    major = int(said.stdout.removeprefix("v").partition(".")[0])
    return "" if major >= 20 else f"node {said.stdout.strip()} is too old: 20 or newer"


def require_runner() -> None:
    """Skip, with the reason, where the action cannot run."""
    if reason := why_not():
        pytest.skip(reason)


@dataclass(frozen=True)
class Result:
    """What a job left."""

    ok: bool
    steps: list[dict[str, Any]]
    env: dict[str, str]
    annotations: list[dict[str, str]]
    commands: list[dict[str, Any]]
    summaries: list[str]
    #: As people see it, with what is masked.
    log: str
    #: As the steps wrote it.
    unmasked: str

    def step(self, name: str) -> dict[str, Any]:
        """The record of a step, by its id."""
        (found,) = [step for step in self.steps if step["id"] == name]
        return found

    def outputs(self, name: str) -> dict[str, str]:
        """What a step gave out."""
        said: dict[str, str] = self.step(name)["outputs"]
        return said

    def said(self, level: str) -> list[str]:
        """The annotations of a level."""
        return [said["message"] for said in self.annotations if said["level"] == level]


@dataclass
class Job:
    """One job: a workspace and a runner's temporary folder of its own."""

    folder: Path
    actions: dict[str, Path] = field(default_factory=dict)
    github: dict[str, Any] = field(default_factory=dict)
    environ: dict[str, str] = field(default_factory=dict)
    #: What the runner gives to node actions alone.
    runtime: dict[str, str] = field(default_factory=dict)
    masks: list[str] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def temp(self) -> Path:
        return self.folder / "temp"

    def run(self, steps: Sequence[Step]) -> Result:
        """Run steps to the end."""
        return self.result(self.start(steps))

    def start(self, steps: Sequence[Step]) -> subprocess.Popen[str]:
        """Start a job; several run at once."""
        self.workspace.mkdir(parents=True, exist_ok=True)
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.environ}
        asked = {
            "workspace": str(self.workspace),
            "temp": str(self.temp),
            "environ": {"NO_PROXY": "127.0.0.1", **environ},
            "runtime": self.runtime,
            "github": {"event_name": "push", "ref": "refs/heads/main", **self.github},
            "actions": {name: str(path) for name, path in self.actions.items()},
            "steps": list(steps),
            "masks": self.masks,
        }
        (self.folder / "job.json").write_text(json.dumps(asked), encoding="utf-8")
        words = ["node", str(HARNESS / "run_job.mjs"), "job.json", "result.json"]
        return subprocess.Popen(
            words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def result(self, process: subprocess.Popen[str]) -> Result:
        """Wait for a started job."""
        said, _ = process.communicate(timeout=300)
        assert process.returncode == 0, said
        return Result(**json.loads((self.folder / "result.json").read_text(encoding="utf-8")))
