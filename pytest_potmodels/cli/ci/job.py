"""A pipeline over the job's own cache folder, and the models that the job is about."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_potmodels.ci import folder, selection
from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.ci.selection import Selected
from pytest_potmodels.cli.ci.planning import planned
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.errors import UsageError
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings import LOCK_FILE
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.transfer.tokens import hub_token

if TYPE_CHECKING:
    from collections.abc import Callable

    from pytest_potmodels.transfer.progress import Progress

_PLAN = ("plan",)


@dataclass(frozen=True)
class Job:
    """What one call of `potmodels ci` works with."""

    inputs: Inputs
    pipeline: Pipeline
    selected: Selected

    @property
    def lock_file(self) -> str:
        """The lock file as it is named in the repository; "" where there is none."""
        path, top = self.selected.lock, folder.workspace(os.environ)
        if path is None:
            return ""
        return (path.relative_to(top) if path.is_relative_to(top) else path).as_posix()


def open_job(
    invocation: Invocation, inputs: Inputs, on_progress: "Callable[[Progress], None] | None" = None
) -> Job:
    """The job, with its folder claimed.

    Raises:
        UsageError: nothing says which models, or what is said cannot be meant.
    """
    settings = _settings(invocation.settings, inputs)
    token = inputs.token
    pipeline = open_pipeline(
        settings,
        on_progress=on_progress,
        token=(lambda: token) if token else hub_token,
    )
    selected = _selected(pipeline, inputs)
    folder.claim(settings.cache_dir)
    return Job(inputs, pipeline, selected)


def _settings(settings: Settings, inputs: Inputs) -> Settings:
    """With a lock, it is the law; `potmodels.lock` need not be there, any other file must."""
    named = inputs.lockfile not in ("", LOCK_FILE)
    lock = Path.cwd() / inputs.lockfile if named else settings.lock
    return replace(settings, lock=lock, locked=lock is not None)


def _selected(pipeline: Pipeline, inputs: Inputs) -> Selected:
    pins, catalog = pipeline.pins, pipeline.catalog
    named = (*inputs.models, *(name for each in inputs.preset for name in catalog.group(each)))
    if pins.lock is not None and named:
        raise UsageError(
            f"{pins.lock.path} says which models, and so do `models` or `preset`.",
            remedy="leave them out, and choose from the lock with `select`",
        )
    if inputs.select == _PLAN:
        if named:
            raise UsageError(
                "`select: plan` says which models, and so do `models` or `preset`.",
                remedy="leave them out: the plan has every model that the tests need",
            )
        return selection.of_requests(planned(inputs.python, catalog), pins, catalog)
    if pins.lock is not None:
        return selection.chosen(selection.of_lock(pins, catalog), inputs.select)
    if not named:
        raise selection.nothing_said()
    return selection.chosen(selection.of_names(named, catalog), inputs.select)
