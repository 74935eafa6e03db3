"""`select: plan`: what the tests need, as pytest says it in the job's own environment."""

import os
import subprocess

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.ci.inputs import PREFIX
from pytest_potmodels.cli.console import say
from pytest_potmodels.cli.locking.wanted import of_plan
from pytest_potmodels.errors import UsageError
from pytest_potmodels.settings.words import WITHOUT_LOCK

_NOTHING_COLLECTED = 5
#: Collecting runs the code of the tests, which needs no token.
_SECRETS = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HUGGINGFACE_HUB_TOKEN"})
#: What an interpreter without the plugin, or without pytest, says.
_LACKING = ("unrecognized arguments: --pot-plan", "No module named pytest")


def planned(python: str, catalog: Catalog) -> list[ModelRequest]:
    """The models that the tests need which `python -m pytest` collects here.

    Raises:
        UsageError: that interpreter cannot say; what it said is told before.
    """
    ended = _collect(python)
    if ended.returncode == _NOTHING_COLLECTED:
        raise UsageError(
            "select: plan: pytest collects no test here.", remedy="set working-directory"
        )
    if ended.returncode != 0:
        raise _failed(python, ended)
    return [each.request for each in of_plan(ended.stdout, catalog)]


def _collect(python: str) -> subprocess.CompletedProcess[str]:
    # Without the lock, so that names come back as they were written; no network, only names.
    options = ["--pot-plan=json", f"--pot-lock={WITHOUT_LOCK}", "--pot-offline"]
    kept = {k: v for k, v in os.environ.items() if k not in _SECRETS and not k.startswith(PREFIX)}
    try:
        return subprocess.run(  # noqa: S603 - the interpreter that the job names
            [python, "-m", "pytest", *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env={**kept, "PYTHONIOENCODING": "utf-8"},
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise UsageError(
            f"select: plan: {python!r} cannot be run: {error.strerror}.",
            remedy="name the interpreter of the tests by the input `python`",
        ) from error


def _failed(python: str, ended: "subprocess.CompletedProcess[str]") -> UsageError:
    said = ended.stderr.rstrip() or ended.stdout.rstrip()
    say(said)
    if any(lacking in said for lacking in _LACKING):
        return UsageError(
            f"select: plan: {python!r} has no pytest with pytest-potmodels.",
            remedy="install it before this step, or name another interpreter by `python`",
        )
    return UsageError(
        f"select: plan: pytest cannot collect the tests (exit code {ended.returncode}); what it "
        "says is above.",
        remedy="mend what it says",
    )
