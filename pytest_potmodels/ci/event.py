"""What started the job, and what it therefore may do with the shared cache."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_potmodels.ci.inputs import Mode

#: What they make is shipped, or they run with secrets on what a stranger wrote. Unpacking an
#: entry can put files outside its folder, which no digest of a model undoes.
_NEVER_RESTORE = frozenset({"release", "pull_request_target", "workflow_run"})
_MAY_SAVE = frozenset({"push", "schedule", "workflow_dispatch", "repository_dispatch"})
#: They run on the default branch, and nowhere else.
_DEFAULT_BRANCH_ONLY = frozenset({"schedule", "repository_dispatch"})


@dataclass(frozen=True)
class Policy:
    """Whether an entry is restored and saved, and why, as one sentence."""

    restore: bool
    save: bool
    why: str

    @property
    def off(self) -> bool:
        """Whether the shared cache plays no part."""
        return not (self.restore or self.save)


def runner(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of a runner of GitHub Actions; empty where there is none.

    Its variables count together or not at all: tests of a project clear some, and not others.
    """
    return environ if environ.get("GITHUB_ACTIONS") == "true" else {}


def decide(mode: Mode, environ: Mapping[str, str]) -> Policy:
    """What a job may do with the cache, by the input `cache` and the event that started it."""
    match mode:
        case "false":
            return Policy(restore=False, save=False, why="cache: false")
        case "read":
            return Policy(restore=True, save=False, why="cache: read")
        case "write":
            return Policy(restore=True, save=True, why="cache: write")
    event = runner(environ).get("GITHUB_EVENT_NAME", "")
    if not runner(environ):
        return Policy(
            restore=True, save=True, why="no event of GitHub: the rules of this CI service hold"
        )
    if not event:
        return Policy(restore=False, save=False, why="the runner names no event")
    return _by_event(event, environ)


def _by_event(event: str, environ: Mapping[str, str]) -> Policy:
    ref = environ.get("GITHUB_REF", "")
    if event in _NEVER_RESTORE or ref.startswith("refs/tags/"):
        what = f"the event {event}" if event in _NEVER_RESTORE else "a tag"
        return Policy(restore=False, save=False, why=f"nothing is restored for {what}")
    if event not in _MAY_SAVE:
        return Policy(restore=True, save=False, why=f"nothing is saved for the event {event}")
    if event in _DEFAULT_BRANCH_ONLY:
        return Policy(restore=True, save=True, why=f"the event {event} is of the default branch")
    default = _default_branch(environ)
    if not default:
        return Policy(
            restore=True, save=False, why="nothing is saved: the default branch is unknown"
        )
    if ref != f"refs/heads/{default}":
        return Policy(
            restore=True, save=False, why=f"nothing is saved: {ref} is not the default branch"
        )
    return Policy(restore=True, save=True, why=f"{event} to the default branch")


def _default_branch(environ: Mapping[str, str]) -> str:
    """The default branch, as the event's payload has it; "" where there is none."""
    with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
        payload = Path(environ["GITHUB_EVENT_PATH"]).read_text(encoding="utf-8")
        return str(json.loads(payload)["repository"]["default_branch"])
    return ""
