"""What `ensure`, `metadata` and `benchmark` have in common: options, and the verifier they make."""

import json
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from pytest_potmodels.cli.console import say
from pytest_potmodels.cli.invocation import Invocation
from pytest_potmodels.cli.wording import SETTINGS
from pytest_potmodels.errors import StoreError
from pytest_potmodels.store import disk
from pytest_potmodels.transfer.progress import Progress
from pytest_potmodels.verification import ModelFileVerifier, Verification
from pytest_potmodels.verification.wanted import DEFAULT_FILE

_FILE = click.Path(dir_okay=False, path_type=Path)

model_option = click.option("--model", metavar="NAME", help="A model; the same as NAME by itself.")
file_path_option = click.option(
    "--file-path", default=DEFAULT_FILE, show_default=True, metavar="PATH",
    help="The file's path in the repository; a bare name also in onnx/.",
)  # fmt: skip
model_type_option = click.option(
    "--model-type",
    metavar="TYPE",
    help="What to convert the model as (bert, t5, vit, ...), in place of what it says itself.",
)
token_option = click.option(
    "--token", metavar="TOKEN", help="For the hub. Others see it; HF_TOKEN is safer."
)
output_option = click.option(
    "--output", type=_FILE, metavar="FILE", help="Also write the results to a JSON file."
)
scheduler_option = click.option(
    "--scheduler", metavar="tcp://HOST:PORT", help="Work on a Dask cluster, not on this machine."
)


def file_option(name: str, **more: Any) -> Callable[[Any], Any]:
    """An option that names a file."""
    return click.option(name, type=_FILE, metavar="FILE", **more)


def verifier_of(
    invocation: Invocation,
    token: str | None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
) -> ModelFileVerifier:
    """The verifier under the options of this command; a token on the command line is warned of."""
    if token:
        say(
            "a token on a command line is in the list of processes and in the shell's history; "
            "HF_TOKEN in the environment is not",
            label="warning",
        )
    return ModelFileVerifier(
        huggingface_token=token,
        options=_given(),
        on_line=_ignored if invocation.quiet else say,
        on_progress=on_progress,
    )


@contextmanager
def executor_of(scheduler: str | None) -> Iterator[Executor | None]:
    """A cluster's executor; None: this machine's own processes."""
    if scheduler is None:
        yield None
        return
    from pytest_potmodels.verification.cluster import executor_at  # noqa: PLC0415 - brings Dask

    with executor_at(scheduler) as executor:
        yield executor


def described(found: Verification) -> dict[str, Any]:
    """A result with the keys that every listing has."""
    files = [found.path.name] if found.path else []
    return {"name": found.wanted.model_id, "files": files, **found.as_json()}


def write_output(path: Path | None, results: Iterable[dict[str, Any]]) -> None:
    """Write the results to a file, whole or not at all.

    Raises:
        StoreError: the file cannot be written.
    """
    if path is None:
        return
    try:
        disk.write_whole(path, json.dumps(list(results), indent=2) + "\n")
    except OSError as error:
        raise StoreError(
            f"{path} cannot be written: {error.strerror or error}.",
            remedy="name another file with --output",
        ) from error


def _given() -> dict[str, Any]:
    """The settings as they were typed: other processes work them out by themselves."""
    params = click.get_current_context().params
    typed = {key: params.get(key) for key in (*SETTINGS, "offline")}
    return {key: value for key, value in typed.items() if value}


def _ignored(_line: str) -> None:
    """Nothing."""
