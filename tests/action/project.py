"""A repository on GitHub with a lock file, and jobs of it that run the Action."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from action.cache_service import CacheService
from action.jobs import ACTION, CACHE_ACTIONS, Job, Result, Step
from cli.harness import Cli
from standin import StandIn

import pytest_potmodels

MAIN = "refs/heads/main"
TINY, OTHER = "huggingface:org/tiny", "huggingface:org/other"
LOCK = "potmodels.lock"


class Event(NamedTuple):
    """What started a job, and which branches' entries it may read, its own first."""

    name: str = "push"
    ref: str = MAIN
    scopes: tuple[str, ...] = (MAIN,)


PULL = Event("pull_request", "refs/pull/1/merge", ("refs/pull/1/merge", MAIN))


@dataclass
class Project:
    """Checkouts of one repository; every job has a workspace of its own."""

    site: StandIn
    service: CacheService
    folder: Path
    cli: Cli
    runs: int = 0
    #: Files of each checkout.
    files: dict[str, bytes] = field(default_factory=dict)

    def lock(self, *names: str) -> None:
        """Commit a lock file with exactly these models."""
        file = self.cli.folder / LOCK
        file.unlink(missing_ok=True)
        self.cli.run("lock", *names)
        self.files[LOCK] = file.read_bytes()
        self.site.log.clear()

    def job(self, event: Event = Event(), *, writes: bool = True, run: int | None = None) -> Job:  # noqa: B008 - frozen
        """A job of a run of its own, or of run number `run`, with a checkout of the files."""
        self.runs += 1
        folder = self.folder / f"job-{self.runs}"
        runtime = {
            "ACTIONS_RESULTS_URL": self.service.url,
            "ACTIONS_RUNTIME_TOKEN": self.service.token(*event.scopes, writes=writes),
            "ACTIONS_CACHE_SERVICE_V2": "true",
        }
        github = {
            "event_name": event.name,
            "ref": event.ref,
            "run_id": str(run or 1000 + self.runs),
            "run_attempt": "1",
            "event": {"repository": {"default_branch": "main"}},
        }
        actions = {"./action": ACTION, **CACHE_ACTIONS}
        job = Job(folder, actions, github, dict(self.site.environ()), runtime)
        for name, data in self.files.items():
            place = job.workspace / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        _install(job.temp)
        return job


def _install(temp: Path) -> None:
    """Have what an earlier use of the Action in the same job would have installed."""
    temp.mkdir(parents=True)
    (temp / f"potmodels-{pytest_potmodels.__version__}").symlink_to(sys.prefix)


def steps(*later: str, **given: str) -> list[Step]:
    """The Action with inputs (`cache_dir` for cache-dir), and then scripts."""
    inputs = {name.replace("_", "-"): value for name, value in given.items()}
    scripts = [{"id": f"later-{n}", "shell": "bash", "run": run} for n, run in enumerate(later, 1)]
    return [{"id": "models", "uses": "./action", "with": inputs}, *scripts]


def shown(result: Result) -> str:
    """All that a job left which people or other steps can see."""
    return "\n".join([result.log, str(result.steps), str(result.env), *result.summaries])


def facts(result: Result, *names: str) -> dict[str, Any]:
    """Some outputs of the Action; what it says instead, if it failed."""
    outputs = result.outputs("models")
    assert result.step("warm")["outcome"] == "success", result.log
    return {name: outputs[name] for name in names}


def cut(service: CacheService) -> None:
    """Truncate the newest entry, as a broken upload or disk would."""
    entry = service.entries[-1]
    entry.data = entry.data[: len(entry.data) // 2]
