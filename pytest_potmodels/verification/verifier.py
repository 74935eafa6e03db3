"""ModelFileVerifier: files of models that are there and checked before somebody needs them."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import file_in, split_file
from pytest_potmodels.onnx_export import recipes
from pytest_potmodels.pipeline import Pipeline, open_pipeline
from pytest_potmodels.settings.resolution import resolve_here
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.transfer.tokens import hub_token
from pytest_potmodels.verification import metadata, obtaining, outcome, processes, together, wanted
from pytest_potmodels.verification.job import Job
from pytest_potmodels.verification.metadata import ModelMetadata
from pytest_potmodels.verification.outcome import Verification
from pytest_potmodels.verification.trouble import Attempt, told_as_verification
from pytest_potmodels.verification.wanted import DEFAULT_FILE, Wanted

if TYPE_CHECKING:
    from pytest_potmodels.transfer.progress import Progress

Say = Callable[[str], None]
#: What there is not, rather than what cannot be told now.
_ABSENT = frozenset({Reason.UNKNOWN_MODEL, Reason.UNKNOWN_REVISION, Reason.PRIVATE})


class ModelFileVerifier:
    """Has ONNX files of models ready: the hub's own, else converted from PyTorch, once."""

    def __init__(
        self,
        cache_dir: str | Path | None = None,
        huggingface_token: str | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        on_line: Say | None = None,
        on_progress: "Callable[[Progress], None] | None" = None,
    ) -> None:
        """Use the settings of environment and configuration, but for what is said here.

        Args:
            cache_dir: the model cache.
            huggingface_token: sent to the hub and to nobody else; HF_TOKEN is safer than a program.
            options: further settings by key: `{"timeout": "60"}`.
            on_line: told how far a conversion is.
            on_progress: told about bytes as they arrive.

        Raises:
            UsageError: an option, variable or configuration file that cannot be meant.
        """
        named = {"cache_dir": str(cache_dir)} if cache_dir else {}
        said = {**(options or {}), **named}
        self._token = _checked_token(huggingface_token)
        self._say = on_line
        self._watch = on_progress
        self.settings = resolve_here(said)
        self._given = _anchored(said, self.settings)

    @cached_property
    def pipeline(self) -> Pipeline:
        """The way from names to models."""
        token = (lambda: self._token) if self._token else hub_token
        return open_pipeline(self.settings, on_progress=self._watch, token=token)

    def verify_model_for_benchmark(
        self, model_id: str, file_path: str = DEFAULT_FILE, model_type: str | None = None
    ) -> tuple[Path, bool]:
        """Have a model's file on disk, checked: its path, and whether it was converted here.

        Raises:
            ModelFileNotFoundError: there is no such file, and none that it could be made from.
            ModelConnectionError: the hub cannot be reached, and the file is not here.
            ModelConversionError: no conversion passed the gate.
            DigestMismatchError, StoreError, MissingPackageError, UsageError: as everywhere.
        """
        found = self.verify(Wanted(model_id, file_path, model_type))
        assert found.path is not None  # noqa: S101 - else it has raised
        return found.path, found.was_converted

    def verify(self, asked: Wanted) -> Verification:
        """The same, with all that is known of the file; raises as above."""
        return obtaining.verified(self.pipeline, wanted.checked(asked), on_line=self._say)

    def verify_model_exists(self, model_id: str, file_path: str = DEFAULT_FILE) -> bool:
        """Whether the file is in the cache, or in the model's repository; nothing is fetched.

        Raises:
            ModelConnectionError: the hub cannot be asked, so nobody knows.
            UsageError: a name or path that cannot be meant.
        """
        asked = wanted.checked(Wanted(model_id, file_path))
        request = self.pipeline.catalog.request(model_id)
        if request.id.source != "huggingface":
            return False
        paths = asked.candidates()[:1] if split_file(request.id)[1] else asked.candidates()
        ids = [file_in(request.id, path) for path in paths]
        if any(self.pipeline.store.find(each) for each in ids):
            return True
        try:
            with told_as_verification(Attempt(asked)):
                files = self.pipeline.describe(request).files
        except UnavailableError as error:
            if error.reason in _ABSENT:
                return False
            raise
        return any(path in files for path in paths)

    def get_model_metadata(self, model_id: str) -> ModelMetadata:
        """What is known of a model: its type, files, licence and revision; nothing is fetched.

        Raises:
            ModelFileNotFoundError, ModelConnectionError: nobody knows it, or can be asked.
        """
        with told_as_verification(Attempt(Wanted(model_id, "metadata"))):
            return metadata.metadata_of(self.pipeline, model_id)

    def batch_verify_models(
        self,
        models: Iterable[Mapping[str, Any] | Wanted],
        *,
        executor: Executor | None = None,
        on_result: Callable[[Verification], None] | None = None,
    ) -> list[Verification]:
        """Have several files, in parallel; one that fails is a value, and the others go on.

        Args:
            models: objects with `model_id` and, as you like, `file_path` and `model_type`.
            executor: where to work, in place of processes of this machine: a thread pool, a
                cluster's. Workers on other machines use their own caches and tokens.
            on_result: told of each as soon as it has ended.

        Raises:
            UsageError: an object that cannot be meant; nothing was begun. Or a token passed by
                hand together with an executor: it would leave this machine.
        """
        asked = [
            _as_wanted(each, f"model {number}") for number, each in enumerate(_listed(models), 1)
        ]
        if not isinstance(executor, Executor | None):
            raise UsageError(
                f"{executor!r} is no executor.", remedy="give one of concurrent.futures"
            )
        if executor is not None and self._token:
            raise UsageError(
                "A token that was passed by hand is not given to an executor's workers.",
                remedy="set HF_TOKEN where they run",
            )
        found = {}
        for each in self._each(list(dict.fromkeys(asked)), executor):
            found[each.wanted] = each
            if on_result is not None:
                on_result(each)
        return [found[each] for each in asked]

    def job(self, task: str, what: Mapping[str, Any]) -> Job:
        """A piece of work for another process, under the same settings."""
        own = tuple(recipes.as_json(each) for each in recipes.registered())
        return Job(task, what, self._given, self._token, recipes=own)

    def _each(self, asked: list[Wanted], executor: Executor | None) -> Iterator[Verification]:
        """How it went with each, in the order in which they end."""
        jobs = [self.job("verify", asdict(each)) for each in asked]
        workers = processes.default_workers(self.settings.jobs)
        ended = together.run(jobs, workers=workers, executor=executor, on_line=self._say)
        for place, came in ended:
            if isinstance(came, BaseException):
                yield outcome.failed(asked[place], came)
            else:
                yield outcome.from_json(came)


def _anchored(given: Mapping[str, Any], settings: Settings) -> dict[str, Any]:
    """Paths as they are meant here: a process of the batch may begin in another folder."""
    meant = {"cache_dir": settings.cache_dir, "lock": settings.lock}
    if config := given.get("config"):
        meant["config"] = Path.cwd() / config
    return {**given, **{key: str(path) for key, path in meant.items() if given.get(key) and path}}


def _as_wanted(said: Mapping[str, Any] | Wanted, where: str) -> Wanted:
    return (
        wanted.checked(said, where)
        if isinstance(said, Wanted)
        else wanted.from_mapping(said, where)
    )


def _listed(models: Any) -> list[Any]:
    if isinstance(models, str | Mapping | bytes) or not isinstance(models, Iterable):
        raise UsageError(
            f"{models!r} is no list of models.",
            remedy='batch_verify_models([{"model_id": "bert-base-uncased"}])',
        )
    return list(models)


def _checked_token(token: str | None) -> str | None:
    if token and not (token.isascii() and token.isprintable() and " " not in token):
        raise UsageError("The token has characters that no token has.", remedy="copy it anew")
    return token or None
