"""Room after an admission: `CACHE_CLEANUP_THRESHOLD` and `CACHE_CLEANUP_MIN_AGE_DAYS`."""

import logging
import os
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from machine import Machine, request

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store.leases import let_go
from pytest_potmodels.store.tidying import tidy

DAY = 86400.0
#: 250 kB: two of the models below, and not three.
LIMIT = 0.00025


@pytest.fixture
def machine(site: Any, tmp_path: Any) -> Machine:
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def fetch(machine: Machine) -> Callable[..., StoredModel]:
    """Fetch a model of 100 kB as a process of its own would, under a threshold."""

    def fetched(name: str, *, days: float = 0.0, **cleanup: Any) -> StoredModel:
        machine.site.add_repo(f"org/{name}", {"model.safetensors": os.urandom(100_000)})
        pipeline = machine.pipeline()
        pipeline.settings = replace(pipeline.settings, **cleanup)
        stored = pipeline.acquire(request(f"huggingface:org/{name}"))
        let_go()
        then = time.time() - days * DAY
        layout = machine.store.layout
        for place in (layout.used(stored.path.name), stored.path / "model_info.json"):
            os.utime(place, (then, then))
        return stored

    return fetched


def there(*models: StoredModel) -> list[bool]:
    return [model.path.exists() for model in models]


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]


def test_without_a_threshold_nothing_goes(fetch: Any) -> None:
    models = [fetch(f"m{days}", days=days, cleanup_min_age_days=0.0) for days in (90, 60, 30)]
    assert there(*models) == [True] * 3


def test_the_least_recently_used_goes_and_that_is_said(
    fetch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    newer, oldest = fetch("newer", days=30), fetch("oldest", days=90)
    last = fetch("last", cleanup_threshold=LIMIT)
    assert there(newer, oldest, last) == [True, False, True]
    (said,) = warnings(caplog)
    assert "removed huggingface:org/oldest, 0.1 MB" in said
    assert said.startswith("cleanup (cleanup_threshold: 0.00025 GB)")


def test_below_the_threshold_nothing_goes_whatever_its_age(
    fetch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    old = fetch("old", days=900)
    fetch("new", cleanup_threshold=LIMIT)
    assert there(old) == [True]
    assert warnings(caplog) == []


def test_what_was_used_in_the_last_days_stays_and_that_is_said(
    fetch: Any, caplog: pytest.LogCaptureFixture
) -> None:
    models = [fetch(f"m{days}", days=days) for days in (13, 12)]
    fetch("last", cleanup_threshold=LIMIT)
    assert there(*models) == [True] * 2
    (said,) = warnings(caplog)
    assert "nothing else may go" in said
    assert "in the last 14 days" in said


def test_the_days_are_a_setting(fetch: Any) -> None:
    first, second = fetch("first", days=13), fetch("second", days=12)
    fetch("last", cleanup_threshold=LIMIT, cleanup_min_age_days=12.5)
    assert there(first, second) == [False, True]


def test_what_this_process_uses_is_not_removed_by_itself(machine: Machine, fetch: Any) -> None:
    oldest, newer = fetch("oldest", days=90), fetch("newer", days=60)
    machine.acquire("huggingface:org/oldest")
    then = time.time() - 90 * DAY
    os.utime(machine.store.layout.used(oldest.path.name), (then, then))
    machine.site.add_repo("org/last", {"model.safetensors": os.urandom(100_000)})
    pipeline = machine.pipeline()
    pipeline.settings = replace(pipeline.settings, cleanup_threshold=LIMIT)
    pipeline.acquire(request("huggingface:org/last"))
    assert there(oldest, newer) == [True, False]


def test_a_model_that_is_there_is_no_occasion(machine: Machine, fetch: Any) -> None:
    models = [fetch(f"m{days}", days=days) for days in (90, 60, 30)]
    pipeline = machine.pipeline()
    pipeline.settings = replace(pipeline.settings, cleanup_threshold=LIMIT)
    pipeline.acquire(request("huggingface:org/m30"))
    assert there(*models) == [True] * 3


def test_tidying_an_empty_cache_is_no_trouble(machine: Machine) -> None:
    tidy(machine.store, replace(machine.pipeline().settings, cleanup_threshold=LIMIT))
    assert not machine.cache.exists()
