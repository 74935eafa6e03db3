"""What would become of each planned model, found out without fetching one."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel, StoredModel
from pytest_potmodels.errors import ModelTooLargeError, PotModelsError, Reason, UnavailableError
from pytest_potmodels.identifiers import IN_PLACE
from pytest_potmodels.loading import require_packages
from pytest_potmodels.pipeline import Pipeline, format_of
from pytest_potmodels.session.cached import look
from pytest_potmodels.session.muster import content_of, free_bytes
from pytest_potmodels.session.plan import Need, Plan, require_onnx
from pytest_potmodels.transfer import Deadline
from pytest_potmodels.transfer.size_limit import SizeLimit

State = Literal["cached", "to fetch", "mock", "unavailable"]

#: Seconds in which upstream must have said what a model is made of.
_PATIENCE = 30.0


@dataclass(frozen=True)
class Outlook:
    """A planned model, and what a run would find."""

    need: Need
    state: State
    #: The code of what is wrong, and the sentence.
    reason: str = ""
    why: str = ""
    revision: str | None = None
    #: Path and bytes of each file; None where upstream does not state them.
    files: tuple[tuple[str, int | None], ...] = ()
    #: Bytes that are not in the cache, as far as they are known.
    missing: int = 0
    #: The same for two names of one model.
    content: tuple[str, ...] = ()

    @property
    def size(self) -> int | None:
        """Bytes in all; None where they are not known."""
        known = [size for _, size in self.files if size is not None]
        return sum(known) if self.files and len(known) == len(self.files) else None


@dataclass(frozen=True)
class Room:
    """The disk of the cache, in bytes."""

    folder: Path
    free: int
    wanted: int


def outlooks(plan: Plan, pipeline: Pipeline) -> list[Outlook]:
    """Look at each planned model, some at a time; no file of one is fetched."""
    jobs = pipeline.settings.jobs
    with ThreadPoolExecutor(jobs, thread_name_prefix="potmodels-plan") as pool:
        try:
            found = list(pool.map(lambda need: _outlook(need, pipeline), plan.needs))
        except BaseException:  # Ctrl-C: what has been asked upstream is not waited for.
            pipeline.transfer.stop()
            pool.shutdown(cancel_futures=True)
            raise
    return sorted(found, key=lambda each: (each.need.asked, str(each.need.request.id)))


def room_for(models: Sequence[Outlook], pipeline: Pipeline) -> Room:
    """What is to be fetched in all, as far as sizes are known, and what is free."""
    distinct = {each.content: each.missing for each in models if each.state == "to fetch"}
    folder, free = free_bytes(pipeline.store.layout.root)
    return Room(folder, free, sum(distinct.values()))


def _outlook(need: Need, pipeline: Pipeline) -> Outlook:
    try:
        return _found(need, pipeline)
    except PotModelsError as error:
        code = error.reason if isinstance(error, UnavailableError) else type(error).__name__
        return Outlook(need, "unavailable", str(code), error.message)


def _found(need: Need, pipeline: Pipeline) -> Outlook:
    source, settings = need.request.id.source, pipeline.settings
    if source == "mock":
        return Outlook(need, "mock")
    if settings.mock == "always":
        return _by_decree(need)
    pipeline.pins.bound(need.request)  # Refuses what is beyond the lock.
    known = format_of(need.request)
    if known is not None and not need.by_mark:
        require_packages(known)
    if not need.by_mark:
        require_onnx(need.forms)
    if source in settings.disabled_sources:
        pipeline.acquire(need.request)  # Refuses, and says where it is disabled.
    if source in IN_PLACE:
        return _upstream(need, "cached", _resolved(need.request, pipeline))
    return _in_the_cache(need, pipeline) or _to_fetch(need, pipeline)


def _by_decree(need: Need) -> Outlook:
    if need.required:
        return Outlook(need, "unavailable", Reason.MOCK_ONLY, "it is required, and mock=always.")
    return Outlook(need, "mock")


def _in_the_cache(need: Need, pipeline: Pipeline) -> Outlook | None:
    stored, bad, trouble = look(pipeline.store, need.request)
    closed = pipeline.settings.closed_by
    if trouble is not None and closed:
        raise trouble
    if stored is None:
        return None
    if not bad:
        return _stored(need, "cached", stored)
    if closed:
        said = f"{stored.path}: {bad[0]}"
        return Outlook(need, "unavailable", "DigestMismatchError", said, stored.revision)
    return _stored(need, "to fetch", stored, missing=sum(each.file.size for each in bad))


def _to_fetch(need: Need, pipeline: Pipeline) -> Outlook:
    if pipeline.settings.closed_by:
        return _stored(need, "cached", pipeline.acquire(need.request))  # Says that it is not.
    resolved = _resolved(need.request, pipeline)
    found = _upstream(need, "to fetch", resolved, missing=pipeline.store.missing_bytes(resolved))
    try:
        SizeLimit(resolved.files, pipeline.settings.max_size)
    except ModelTooLargeError as error:
        return replace(found, state="unavailable", reason=str(error.reason), why=error.message)
    return found


def _resolved(request: ModelRequest, pipeline: Pipeline) -> ResolvedModel:
    return pipeline.resolve(request, Deadline(min(_PATIENCE, pipeline.settings.timeout)))


def _stored(need: Need, state: State, stored: StoredModel, *, missing: int = 0) -> Outlook:
    files = tuple((file.path, file.size) for file in stored.files)
    content = (stored.id.source, stored.id.name, stored.revision or "")
    return Outlook(need, state, "", "", stored.revision, files, missing, content)


def _upstream(need: Need, state: State, resolved: ResolvedModel, *, missing: int = 0) -> Outlook:
    files = tuple((str(file.path), file.size or file.size_hint) for file in resolved.files)
    content = content_of(resolved)
    return Outlook(need, state, "", "", resolved.revision, files, missing, content)
