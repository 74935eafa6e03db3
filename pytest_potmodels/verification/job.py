"""A piece of work that another process can do, of this machine or of another one."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from pytest_potmodels import __version__
from pytest_potmodels.errors import ModelVerificationError
from pytest_potmodels.onnx_export import recipes
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.transfer.tokens import hub_token

#: Task -> "module:function" below this package; no other function is ever called.
TASKS = {"verify": "obtaining:done", "measure": "benchmark.measuring:done"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """What to do, and the options that were given; all else is that machine's own."""

    #: A key of TASKS.
    task: str
    #: Plain values: the fields of what is wanted.
    what: Mapping[str, Any]
    #: Options by key, as of the command line.
    given: Mapping[str, Any] = field(default_factory=dict)
    #: Where it was passed by hand; never part of what is shown or written down.
    token: str | None = field(default=None, repr=False, compare=False)
    #: Of this package, where the job is from: another one may mean something else by it.
    version: str = __version__
    #: Recipes that the program has registered, as plain values.
    recipes: tuple[Mapping[str, Any], ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain values, the token among them: only for the pipe to a child."""
        return {"task": self.task, "what": dict(self.what), "given": dict(self.given),
                "token": self.token, "version": self.version,
                "recipes": list(self.recipes)}  # fmt: skip


def pipeline_of(job: Job) -> Pipeline:
    """The way to models, by that machine's settings and the options that were given.

    Raises:
        UsageError: a setting that cannot be meant.
    """
    return open_pipeline(
        resolve_here(job.given), token=(lambda: job.token) if job.token else hub_token
    )


def done(job: Job, say: Say | None = None) -> dict[str, Any]:
    """Do it; what it came to as plain values, whatever went wrong.

    Raises:
        ModelVerificationError: it comes from another version of this package.
    """
    if job.version != __version__:
        raise ModelVerificationError(
            f"the worker has pytest-potmodels {__version__}, and {job.version} asks it",
            remedy=f"on the worker: pip install pytest-potmodels=={job.version}",
        )
    module, _, function = TASKS[job.task].partition(":")
    with recipes.lent([recipes.from_json(each) for each in job.recipes]):
        # One task does not import what the other one needs.
        do = getattr(import_module(f"{__package__}.{module}"), function)
        found: dict[str, Any] = do(job, say)
    return found
