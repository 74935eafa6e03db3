"""Models that are fetched together: the disk must have room for all of them."""

import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.session import muster
from pytest_potmodels.session.muster import Muster, free_bytes
from pytest_potmodels.session.plan import Files
from pytest_potmodels.store.admission import stage_name
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.layout import Layout

MANY = 10**12


def resolved(name: str, size: int, **facts: Any) -> ResolvedModel:
    file = RemoteFile(PurePosixPath("weights"), "https://example.org/weights", size)
    model_id = ModelId("huggingface", name)
    known = {"revision": "0" * 40, **facts}
    return ResolvedModel(model_id, "language", "transformers", (file,), **known)


def key(model: ResolvedModel) -> Files:
    return (model.id, None, None, None)


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(Layout.at(tmp_path / "cache"))


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    whole = shutil.disk_usage

    def set_free(count: int) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda path: whole(path)._replace(free=count))

    return set_free


def all_meet(meeting: Muster, models: list[ResolvedModel]) -> list[StoreError | None]:
    def meet(model: ResolvedModel) -> StoreError | None:
        try:
            meeting.meet(key(model), model)
        except StoreError as error:
            return error
        return None

    with ThreadPoolExecutor(len(models)) as pool:
        return list(pool.map(meet, models))


def test_all_are_refused_where_not_all_have_room(
    store: ModelStore, free: Callable[[int], None]
) -> None:
    free(150_000)
    models = [resolved("org/a", 100_000), resolved("org/b", 100_000)]
    first, second = all_meet(Muster(map(key, models), store, most=MANY), models)
    assert first is not None
    assert "take 200.0 kB, 150.0 kB are free: huggingface:org/a, huggingface:org/b" in str(first)
    assert str(first) == str(second)
    assert first is not second


def test_all_pass_where_there_is_room(store: ModelStore, free: Callable[[int], None]) -> None:
    free(200_000)
    models = [resolved("org/a", 100_000), resolved("org/b", 100_000)]
    assert all_meet(Muster(map(key, models), store, most=MANY), models) == [None, None]


def test_one_model_under_two_names_counts_once(
    store: ModelStore, free: Callable[[int], None]
) -> None:
    free(150_000)
    models = [resolved("bert", 100_000, aliases=("org/bert",)), resolved("org/bert", 100_000)]
    assert all_meet(Muster(map(key, models), store, most=MANY), models) == [None, None]


def test_a_model_that_will_be_refused_takes_no_room(
    store: ModelStore, free: Callable[[int], None]
) -> None:
    free(150_000)
    models = [resolved("org/a", 100_000), resolved("org/b", 100_001)]
    assert all_meet(Muster(map(key, models), store, most=100_000), models) == [None, None]


def test_what_a_killed_run_left_need_not_come_again(
    store: ModelStore, free: Callable[[int], None]
) -> None:
    free(150_000)
    models = [resolved("org/a", 100_000), resolved("org/b", 100_000)]
    stage = store.layout.stage(stage_name("huggingface_org--a", models[0]))
    for model in models:
        assert store.missing_bytes(model) == 100_000
    stage.mkdir(parents=True)
    (stage / "weights.part").write_bytes(bytes(60_000))
    assert store.missing_bytes(models[0]) == 40_000
    assert all_meet(Muster(map(key, models), store, most=MANY), models) == [None, None]


def test_who_leaves_is_not_waited_for(store: ModelStore) -> None:
    models = [resolved("org/a", 1), resolved("org/b", 1), resolved("org/c", 1)]
    meeting = Muster(map(key, models), store, most=MANY)
    passed = threading.Event()

    def meet() -> None:
        meeting.meet(key(models[0]), models[0])
        passed.set()

    thread = threading.Thread(target=meet)
    thread.start()
    meeting.leave(key(models[1]))
    assert not passed.wait(0.2)
    meeting.leave(key(models[2]))
    assert passed.wait(10)
    meeting.leave(key(models[0]))
    thread.join()


@pytest.mark.parametrize("how", ["dissolve", "patience"])
def test_nobody_waits_for_ever(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    if how == "patience":
        monkeypatch.setattr(muster, "_PATIENCE", 0.3)
    models = [resolved("org/a", 1), resolved("org/hangs", 1)]
    meeting = Muster(map(key, models), store, most=MANY)
    if how == "dissolve":
        threading.Timer(0.3, meeting.dissolve).start()
    started = time.monotonic()
    meeting.meet(key(models[0]), models[0])
    assert time.monotonic() - started < 10


def test_the_free_space_is_that_of_the_first_folder_that_exists(tmp_path: Path) -> None:
    folder, free = free_bytes(tmp_path / "not" / "yet")
    assert folder == tmp_path.resolve()
    assert free > 0
