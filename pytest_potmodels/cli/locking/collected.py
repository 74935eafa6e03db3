"""What the tests of a project need, as pytest itself says it."""

import os
import subprocess
import sys
from collections.abc import Sequence

from pytest_potmodels.catalog.naming import Catalog
from pytest_potmodels.cli.console import say
from pytest_potmodels.cli.locking.wanted import Wanted, of_plan
from pytest_potmodels.errors import UsageError
from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.settings.words import WITHOUT_LOCK

_NOTHING_COLLECTED = 5


def needed_by_tests(
    args: Sequence[str], settings: Settings, catalog: Catalog, *, quiet: bool
) -> list[Wanted]:
    """The models that the tests which `pytest ARGS` selects need; raises like `plan_of_tests`."""
    return of_plan(plan_of_tests(args, settings, quiet=quiet), catalog)


def plan_of_tests(args: Sequence[str], settings: Settings, *, quiet: bool) -> str:
    """What `pytest ARGS --pot-plan=json` says.

    Raises:
        UsageError: pytest cannot collect the tests, or there is none.
    """
    # Without the lock, so that names come back as they were written; without the network, because
    # only names are wanted.
    ours = ["--pot-plan=json", f"--pot-lock={WITHOUT_LOCK}", "--pot-offline"]
    command = [sys.executable, "-m", "pytest", *args, *ours, *_configuration(settings)]
    shown = " ".join(["pytest", *args])
    if not quiet:
        say(f"collecting: {shown}")
    ended = subprocess.run(  # noqa: S603 - the user's own tests, with their own arguments
        command,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if ended.returncode == _NOTHING_COLLECTED:
        raise UsageError(f"{shown} collects no test.", remedy="name the tests after --from-tests")
    if ended.returncode != 0:
        say(ended.stderr.rstrip() or ended.stdout.rstrip())
        raise UsageError(
            f"{shown} cannot collect the tests (exit code {ended.returncode}); what it says is "
            "above.",
            remedy="mend what it says; arguments of pytest that begin with - go behind a --",
        )
    return ended.stdout


def _configuration(settings: Settings) -> list[str]:
    """The configuration file that was named here; one that is found, pytest finds, too."""
    named = settings.config
    found = resolve_here({}).config
    if named is None or (found is not None and found.path == named.path):
        return []
    return [f"--pot-config={named.path}"]
