"""Several models at once, from a real server to a real cache."""

import contextlib
import re
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from machine import Machine
from standin import Slowed, Stalled, StandIn, Status

from pytest_potmodels.downloader import together
from pytest_potmodels.errors import UnavailableError, UnknownNameError
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.transfer import Transfer

WEIGHTS = bytes(range(256)) * 400
NAMES = tuple(f"huggingface:org/m{number}" for number in range(4))


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    for name in NAMES:
        files = {"config.json": b"{}", "model.safetensors": WEIGHTS + name.encode()}
        site.add_repo(name.partition(":")[2], files)
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def pipeline(machine: Machine) -> Pipeline:
    return machine.pipeline(jobs=4)


def crew() -> list[threading.Thread]:
    """The threads that bring models now."""
    return [each for each in threading.enumerate() if re.fullmatch(r"potmodels-\d+", each.name)]


def slowed(machine: Machine) -> None:
    machine.site.fault(Slowed(len(WEIGHTS) / 0.6), "model.safetensors", server="cdn", times=None)


def test_each_name_ends_once_and_what_fails_does_not_stop_the_rest(
    pipeline: Pipeline, machine: Machine
) -> None:
    machine.site.fault(Status(404), "m1", times=None)
    names = (*NAMES, "resnet_18")
    ended = dict(together.bring(pipeline, names))
    assert sorted(ended) == sorted(names)
    assert isinstance(ended[NAMES[1]].exception(), UnavailableError)
    assert isinstance(ended["resnet_18"].exception(), UnknownNameError)
    assert machine.visible() == [f"huggingface_org--m{number}" for number in (0, 2, 3)]


def test_four_models_at_once_take_less_than_half_the_time(
    machine: Machine, pipeline: Pipeline, tmp_path: Path
) -> None:
    slowed(machine)
    alone = Machine(machine.site, tmp_path / "alone").pipeline(jobs=4)
    started = time.monotonic()
    for name in NAMES:
        ((_, future),) = together.bring(alone, [name])
        future.result()
    one_by_one = time.monotonic() - started
    started = time.monotonic()
    for _, future in together.bring(pipeline, NAMES):
        future.result()
    at_once = time.monotonic() - started
    assert one_by_one > 2 * at_once, (one_by_one, at_once)


def test_no_more_models_are_under_way_than_jobs(machine: Machine) -> None:
    slowed(machine)
    pipeline = machine.pipeline()
    pipeline.settings = replace(pipeline.settings, jobs=1)
    for _ in together.bring(pipeline, NAMES[:2]):
        assert len(crew()) <= 1


def test_one_name_needs_no_thread(pipeline: Pipeline) -> None:
    for _, future in together.bring(pipeline, NAMES[:1]):
        assert future.result().fresh
        assert crew() == []


def test_models_at_once_have_their_times_together(machine: Machine) -> None:
    slowed(machine)  # Each takes 0.6 s; alone none would have more than 1.5.
    pipeline = machine.pipeline(jobs=4, timeout=1.5)
    share = together._Crew(pipeline, NAMES, again=False)._pipeline
    assert share.settings.timeout == 6.0
    assert share.transfer.policy.jobs == 1
    assert pipeline.settings.timeout == 1.5


def test_who_stops_listening_stops_what_is_under_way(machine: Machine, pipeline: Pipeline) -> None:
    machine.site.fault(Stalled(at=50_000), "m0", server="cdn", times=None)
    machine.site.fault(Stalled(at=50_000), "m1", server="cdn", times=None)
    ended = together.bring(pipeline, NAMES)
    next(ended)
    started = time.monotonic()
    ended.close()
    assert time.monotonic() - started < 10
    assert crew() == []
    machine.site.heal()
    for _, future in together.bring(machine.pipeline(), NAMES):
        assert future.result().size > len(WEIGHTS)


def test_a_warm_cache_costs_no_request(machine: Machine, pipeline: Pipeline) -> None:
    list(together.bring(pipeline, NAMES))
    machine.site.log.clear()
    for _, future in together.bring(machine.pipeline(), NAMES):
        assert not future.result().fresh
    assert len(machine.site.log) == 0


def test_again_fetches_all_of_them_again(machine: Machine, pipeline: Pipeline) -> None:
    list(together.bring(pipeline, NAMES))
    machine.site.log.clear()
    for _, future in together.bring(pipeline, NAMES, again=True):
        assert future.result().fresh
    assert machine.site.log.gets("model.safetensors") == len(NAMES)


def test_a_thread_that_wants_to_end_the_program_is_not_waited_for(pipeline: Pipeline) -> None:
    def leave() -> str:
        raise SystemExit(3)

    transfer = Transfer(pipeline.transfer.policy, token=leave)
    hasty = Pipeline(pipeline.settings, pipeline.catalog, pipeline.store, transfer)
    with contextlib.closing(together.bring(hasty, NAMES)) as ended:
        _, future = next(ended)
        with pytest.raises(SystemExit):
            future.result()
