"""A session's pipeline: models that come in the background, each once, and failures that stay."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from machine import Machine, request
from standin import Stalled, StandIn, Status
from standin.models import tiny_bert

from pytest_potmodels.errors import (
    DigestMismatchError,
    NotPlannedError,
    Reason,
    StoreError,
    UnavailableError,
)
from pytest_potmodels.session.attempts import Attempts
from pytest_potmodels.session.pipeline import SessionPipeline
from pytest_potmodels.session.plan import files_of
from pytest_potmodels.transfer.bounded import StoppedError

MODEL = request("huggingface:org/model")
OTHER = request("huggingface:org/other")


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    site.add_repo("org/model", tiny_bert())
    site.add_repo("org/other", tiny_bert(seed=1))
    return Machine(site, tmp_path / "cache")


def session(machine: Machine, folder: Path | None = None, **options: Any) -> SessionPipeline:
    return SessionPipeline(machine.pipeline(**options), Attempts(folder))


def begun(pipeline: SessionPipeline) -> None:
    """Wait until a model's weights are on their way."""
    end = time.monotonic() + 20
    parts = pipeline.store.layout.partial
    while not list(parts.glob("*/model.safetensors.part")):
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_prefetched_is_fresh_once(machine: Machine) -> None:
    pipeline = session(machine)
    pipeline.prefetch([MODEL, OTHER])
    assert pipeline.have(MODEL).fresh
    assert pipeline.have(MODEL).fresh  # Nobody has made a model of it yet.
    assert pipeline.acquire(MODEL).fresh
    assert not pipeline.acquire(MODEL).fresh
    assert not pipeline.have(MODEL).fresh
    assert pipeline.acquire(OTHER).fresh
    assert machine.site.log.gets("/repos/") == 2
    pipeline.stop()


def test_what_nobody_planned_is_fresh_once_too(machine: Machine) -> None:
    pipeline = session(machine)
    assert [pipeline.acquire(MODEL).fresh for _ in range(2)] == [True, False]


def test_each_model_is_begun_once(machine: Machine) -> None:
    machine.site.fault(Stalled(at=1000, seconds=0.5), "model.safetensors")
    pipeline = session(machine)
    for _ in range(3):
        pipeline.prefetch([MODEL])
    pipeline.ready([MODEL])
    pipeline.ready([MODEL])
    assert machine.site.log.gets("/api/models/") == 1
    assert machine.site.log.gets("/repos/") == 1


def test_ready_looks_at_the_cache_first(machine: Machine) -> None:
    machine.acquire(str(MODEL.id))
    machine.site.log.clear()
    pipeline, before = session(machine), threading.active_count()
    pipeline.ready([MODEL])
    assert threading.active_count() == before
    assert pipeline._prefetch.future(files_of(MODEL)) is None
    assert list(machine.site.log) == []
    assert not pipeline.acquire(MODEL).fresh


def test_ready_mends_what_is_damaged(machine: Machine) -> None:
    stored = machine.acquire(str(MODEL.id))
    weights = stored.path / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(b"damaged")
    machine.site.log.clear()
    session(machine).ready([MODEL])
    assert weights.stat().st_size == len(tiny_bert()["model.safetensors"])
    assert machine.site.log.gets("/api/models/") == 0
    assert machine.site.log.gets("/repos/") == 1


def test_a_failure_is_raised_anew_for_each_who_asks(machine: Machine) -> None:
    machine.site.fault(Status(500), "/api/models/", times=None)
    pipeline = session(machine, retries=0)
    pipeline.prefetch([MODEL])
    caught = []
    for _ in range(2):
        with pytest.raises(UnavailableError) as error:
            pipeline.acquire(MODEL)
        caught.append(error.value)
    first, second = caught
    assert first.reason is Reason.SERVER
    assert (str(first), first is second) == (str(second), False)
    assert machine.site.log.gets("/api/models/") == 1


def test_what_failed_in_one_process_is_not_tried_in_another(
    machine: Machine, tmp_path: Path
) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    machine.site.fault(Status(500), "/api/models/", times=None)
    pipelines = [session(machine, folder, retries=0) for _ in range(3)]
    for pipeline in pipelines:
        pipeline.ready([MODEL])
    for pipeline in pipelines:
        with pytest.raises(UnavailableError, match="500"):
            pipeline.acquire(MODEL)
    assert machine.site.log.gets("/api/models/") == 1


def test_models_that_fail_do_not_hold_up_the_others(machine: Machine) -> None:
    pipeline = session(machine, retries=0)
    gone = request("huggingface:org/gone")
    started = time.monotonic()
    pipeline.prefetch([gone, MODEL])
    assert pipeline.acquire(MODEL).fresh
    assert time.monotonic() - started < 10
    with pytest.raises(UnavailableError):
        pipeline.acquire(gone)


def test_a_second_try_by_hand_is_a_try(machine: Machine) -> None:
    machine.site.fault(Status(500), "/api/models/")
    pipeline = session(machine, retries=0)
    pipeline.ready([MODEL])
    assert pipeline.acquire(MODEL, again=True).fresh


def test_a_stop_ends_a_download_and_keeps_what_came(machine: Machine) -> None:
    machine.site.fault(Stalled(at=50_000), "model.safetensors", server="cdn")
    pipeline = session(machine, read_timeout=60)
    pipeline.prefetch([MODEL])
    begun(pipeline)
    started = time.monotonic()
    pipeline.stop()
    assert time.monotonic() - started < 2
    assert not [each for each in threading.enumerate() if "prefetch" in each.name]
    assert isinstance(_outcome(pipeline), StoppedError)
    assert list(pipeline.store.layout.partial.glob("*/model.safetensors.part"))
    # What is asked for after the end is a try of its own.
    assert pipeline.acquire(MODEL).fresh


def test_a_stop_does_not_wait_for_the_lock_of_another_process(machine: Machine) -> None:
    pipeline = session(machine)
    with pipeline.store.locked(MODEL.id, timeout=5):
        pipeline.prefetch([MODEL])
        time.sleep(0.5)
        started = time.monotonic()
        pipeline.stop()
        assert time.monotonic() - started < 10


def _outcome(pipeline: SessionPipeline) -> BaseException | None:
    future = pipeline._prefetch.future(files_of(MODEL))
    assert future is not None
    return future.exception()


def test_what_is_stopped_is_no_failure_for_the_others(machine: Machine, tmp_path: Path) -> None:
    folder = tmp_path / "session"
    folder.mkdir()
    machine.site.fault(Stalled(at=50_000), "model.safetensors", server="cdn")
    first, second = (session(machine, folder, read_timeout=60) for _ in range(2))
    first.prefetch([MODEL])
    begun(first)
    second.prefetch([MODEL])
    first.stop()
    assert second.acquire(MODEL).fresh
    (_, resumed) = machine.site.log.select("/repos/")
    assert resumed.headers["range"].startswith("bytes=")
    second.stop()


def test_a_wait_is_told_and_a_cached_model_is_not(machine: Machine) -> None:
    waits = []

    @contextmanager
    def waiting() -> Iterator[None]:
        waits.append("begins")
        yield
        waits.append("ends")

    pipeline = SessionPipeline(machine.pipeline(), Attempts(None), waiting)
    pipeline.ready([MODEL])
    assert waits == ["begins", "ends"]


def test_a_closed_network_names_who_was_not_planned(machine: Machine) -> None:
    pipeline = session(machine)
    pipeline.ready([MODEL])
    pipeline.close_network([files_of(MODEL)])
    machine.site.log.clear()
    assert pipeline.acquire(MODEL).fresh
    pipeline.ready([OTHER])
    with pytest.raises(NotPlannedError, match="no selected test's marks or fixtures name it") as e:
        pipeline.acquire(OTHER)
    assert e.value.reason is Reason.NOT_CACHED
    assert not e.value.substitutable
    assert 'requires_model("huggingface:org/other")' in e.value.remedy
    with pytest.raises(UnavailableError, match="network is closed"):
        pipeline.transfer.call(machine.site.hub.url, lambda *_: None, pipeline._deadline(MODEL))
    assert list(machine.site.log) == []


def test_wrong_bytes_stay_an_error_of_their_own(machine: Machine) -> None:
    stored = machine.acquire(str(MODEL.id))
    pipeline = session(machine)
    pipeline.ready([MODEL])
    pipeline.close_network([files_of(MODEL)])
    weights = stored.path / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(b"damaged")
    with pytest.raises(DigestMismatchError):
        pipeline.acquire(MODEL)


def test_models_that_come_together_have_their_time_together(machine: Machine) -> None:
    """Each alone would need 1.3 s of its 2 s; both at once have half of the line each."""
    machine.site.fault(Stalled(at=1000, seconds=2.6), "model.safetensors", times=2)
    pipeline = session(machine, timeout=2.0, read_timeout=10, jobs=2)
    pipeline.prefetch([MODEL, OTHER])
    assert pipeline.acquire(MODEL).fresh
    assert pipeline.acquire(OTHER).fresh


def test_a_cache_that_cannot_be_read_fails_in_the_test(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    pipeline = session(machine)
    pipeline.ready([MODEL])
    with pytest.raises(StoreError):
        pipeline.acquire(MODEL)
