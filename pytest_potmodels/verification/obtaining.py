"""One file of one model: the hub's own where there is one, else exported from PyTorch."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_potmodels import onnx_export
from pytest_potmodels.artifacts import ModelRequest, Repository
from pytest_potmodels.errors import (
    ModelConversionError,
    ModelVerificationError,
)
from pytest_potmodels.identifiers import file_in, split_file
from pytest_potmodels.onnx_export import OnnxModel
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.verification import absence, known, outcome
from pytest_potmodels.verification.detection import Detected
from pytest_potmodels.verification.job import Job, pipeline_of
from pytest_potmodels.verification.outcome import Verification
from pytest_potmodels.verification.trouble import Attempt, told_as_verification
from pytest_potmodels.verification.wanted import Wanted

_log = logging.getLogger(__name__)

Say = Callable[[str], None]


def done(job: Job, say: Say | None) -> dict[str, Any]:
    """The job "verify": what it came to as plain values, whatever went wrong."""
    wanted, began = Wanted(**job.what), time.monotonic()
    try:
        return verified(pipeline_of(job), wanted, on_line=say).as_json()
    except Exception as error:  # noqa: BLE001 - one failure among many is a value
        return outcome.failed(wanted, error, round(time.monotonic() - began, 3)).as_json()


def verified(pipeline: Pipeline, wanted: Wanted, *, on_line: Say | None = None) -> Verification:
    """Have the file on disk, checked; raises what `obtained` raises."""
    began = time.monotonic()
    model, told = obtained(pipeline, wanted, on_line=on_line)
    return _described(wanted, model, told, time.monotonic() - began)


def obtained(
    pipeline: Pipeline, wanted: Wanted, *, on_line: Say | None = None
) -> tuple[OnnxModel, Detected]:
    """The file with its inputs and outputs, and the type of its model.

    Raises:
        ModelFileNotFoundError: the model has no such file and none that it could be made from.
        ModelConnectionError: the hub cannot be reached, and it is not here.
        ModelConversionError: what was exported is not the model; ModelUnsupportedError: nothing
            can export it.
        ModelVerificationError: the hub's file is no ONNX model.
        DigestMismatchError, StoreError, MissingPackageError, UsageError: as everywhere.
    """
    request = _pinned(pipeline, pipeline.catalog.request(wanted.model_id))
    attempt = Attempt(wanted)
    with told_as_verification(attempt):
        search = _Search(pipeline, request, wanted, attempt)
        original = search.original()
        model = search.exported(original or request, on_line)
    search.remember_absence(original or request)
    return model, search.detected(original)


def _pinned(pipeline: Pipeline, request: ModelRequest) -> ModelRequest:
    """At the revision that the cache has already: the file is to be of the same one."""
    stored = known.here(pipeline, request)
    if request.id.source != "huggingface" or stored is None or stored.revision is None:
        return request
    return replace(request, id=replace(request.id, revision=stored.revision))


class _Search:
    """Where a file may be had; asks the hub once at most."""

    def __init__(
        self, pipeline: Pipeline, request: ModelRequest, wanted: Wanted, attempt: Attempt
    ) -> None:
        self._pipeline = pipeline
        self._request = request
        self._wanted = wanted
        self._attempt = attempt
        self._repository: Repository | None = None
        self._absent: tuple[str, ...] = ()

    def original(self) -> ModelRequest | None:
        """The request for the hub's own file; None where it has none."""
        if self._request.id.source != "huggingface":
            return None
        if split_file(self._request.id)[1]:
            return replace(self._request)  # It names a file by itself.
        return self._here() or self._asked()

    def _here(self) -> ModelRequest | None:
        """The first candidate, or a later one where those before it are known not to exist."""
        paths, closed = self._wanted.candidates(), self._pipeline.settings.closed_by
        for place, path in enumerate(paths):
            stored = known.here(self._pipeline, wish := self._of(path))
            before = paths[:place]
            if stored and (closed or absence.is_known(self._pipeline, stored, before)):
                return wish
        return None

    def _asked(self) -> ModelRequest | None:
        stored = known.here(self._pipeline, self._request)
        if absence.is_known(self._pipeline, stored, self._wanted.candidates()):
            self._attempt.note("the hub has no such file (known from an earlier look)")
            return None
        if stored and (closed_by := self._pipeline.settings.closed_by):
            _log.warning(
                "%s: whether the hub has %s was not asked, the network is closed by %s",
                self._request.id,
                self._wanted.file_path,
                closed_by,
            )
            return None
        self._repository = self._pipeline.describe(self._request)
        for place, path in enumerate(self._wanted.candidates()):
            if path in self._repository.files:
                self._absent = self._wanted.candidates()[:place]
                self._attempt.note(f"the hub's {path}")
                return self._of(path)
        self._absent = self._wanted.candidates()
        there = f"{len(self._repository.files)} files at {self._repository.revision[:8]}"
        self._attempt.note(
            f"the hub's {' and '.join(self._wanted.candidates())}: not among its {there}"
        )
        return None

    def _of(self, path: str) -> ModelRequest:
        wish = replace(self._request, id=file_in(self._request.id, path))
        return replace(wish, asked=str(wish.id))

    def exported(self, request: ModelRequest, on_line: Say | None) -> OnnxModel:
        if request is self._request:
            self._attempt.note("an export from PyTorch")
            return self._passed(request, on_line)
        try:
            return self._passed(request, on_line)
        except ModelConversionError as error:
            why = "; ".join(error.tried) or error.message
            raise ModelVerificationError(
                f"{request.id} is in the cache as the hub has it, and is no ONNX model: {why}",
                remedy=f"convert it from PyTorch instead: potmodels export {self._request.asked}",
            ) from error

    def _passed(self, request: ModelRequest, on_line: Say | None) -> OnnxModel:
        say = on_line or _log.info

        def told(line: str) -> None:
            say(f"{self._wanted.model_id}: {line}")

        return onnx_export.exported(
            self._pipeline, request, timeout=self._pipeline.settings.timeout,
            family=self._wanted.model_type or "", on_line=told,
        )  # fmt: skip

    def remember_absence(self, request: ModelRequest) -> None:
        """Write down, with what was taken, what was looked for in vain."""
        if self._repository is not None:
            stored = known.here(self._pipeline, request)
            absence.remember(self._pipeline, stored, self._absent, self._repository)

    def detected(self, original: ModelRequest | None) -> Detected:
        return known.detected(
            self._pipeline, self._request, override=self._wanted.model_type,
            repository=self._repository, original=original,
        )  # fmt: skip


def _described(wanted: Wanted, model: OnnxModel, told: Detected, seconds: float) -> Verification:
    return Verification(
        wanted=wanted,
        path=Path(model.file),
        source=model.source,
        model_type=told.model_type,
        detected_by=told.rule,
        revision=model.derived_from.revision,
        digest=model.digest,
        size=model.size,
        opset=model.opset,
        rung=model.rung,
        worst_error=model.worst,
        versions=dict(model.versions),
        seconds=round(seconds, 3),
    )
