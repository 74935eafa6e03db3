"""ModelManager: models under names, on real files from a real server."""

import os
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from standin import Slowed, StandIn, models

from pytest_potmodels.errors import Reason, UnavailableError, UnknownNameError, UsageError
from pytest_potmodels.model_manager import ModelManager, get_model_manager

BERT = "huggingface:org/bert"
OWN = """
[models.squeezenet]
source = "torchvision"
name = "squeezenet1_1"
weights = "https://download.pytorch.org/models/{file}"
"""


@pytest.fixture(scope="session")
def published() -> tuple[dict[str, bytes], tuple[str, bytes]]:
    return models.tiny_bert(), models.torchvision_weights("squeezenet1_1")


@pytest.fixture(autouse=True)
def upstream(
    site: StandIn,
    tmp_path: Path,
    published: tuple[dict[str, bytes], tuple[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
) -> StandIn:
    """A project with an empty cache, a BERT of the hub, and a network of torchvision's."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_")):
            monkeypatch.delenv(name)
    repository, (file, data) = published
    site.add_repo("org/bert", repository)
    site.add_download(f"/models/{file}", data)
    (tmp_path / ".git").mkdir()
    (tmp_path / "potmodels.toml").write_text(OWN.format(file=file))
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.chdir(tmp_path)
    return site


@pytest.fixture
def manager() -> ModelManager:
    return ModelManager()


@pytest.fixture
def with_bert(manager: ModelManager) -> ModelManager:
    manager.load_model(BERT, name="reader")
    return manager


def test_a_model_is_fetched_loaded_and_kept_under_its_name(
    manager: ModelManager, upstream: StandIn
) -> None:
    loaded = manager.load_model("squeezenet", name="classifier")
    assert loaded.source == "pretrained"
    assert manager.list() == {"classifier": loaded}
    upstream.log.clear()
    assert manager.load_model("squeezenet", name="classifier") is loaded
    assert len(upstream.log) == 0


def test_without_a_name_it_is_the_identifier(manager: ModelManager) -> None:
    manager.load_model("mock-cnn")
    assert list(manager.list()) == ["mock-cnn"]
    assert manager.predict("mock-cnn", torch.zeros(1, 3, 32, 32)).shape == (1, 10)


@pytest.mark.parametrize(
    ("identifier", "more"),
    [("mock-lstm", {}), ("mock-cnn", {"dtype": "float16"}), ("mock-cnn", {"device": "auto"})],
)
def test_a_name_is_of_one_model_asked_for_in_one_way(
    manager: ModelManager, identifier: str, more: dict[str, Any]
) -> None:
    manager.load_model("mock-cnn", name="mine")
    if more.get("device") == "auto" and not torch.cuda.is_available():
        manager.load_model(identifier, name="mine", **more)  # It is the CPU again.
        return
    with pytest.raises(UsageError, match="'mine' is mock:vision on cpu already") as raised:
        manager.load_model(identifier, name="mine", **more)
    assert "unload('mine')" in raised.value.remedy


def test_another_name_is_another_object(manager: ModelManager) -> None:
    first, second = (manager.load_model("mock-cnn", name=name) for name in ("a", "b"))
    assert first.model is not second.model
    assert list(manager.list()) == ["a", "b"]


def test_what_is_unloaded_is_gone_from_memory_and_stays_on_disk(
    with_bert: ModelManager, upstream: StandIn
) -> None:
    with_bert.unload("reader")
    assert with_bert.list() == {}
    upstream.log.clear()
    assert with_bert.load_model(BERT, name="reader").source == "cached"
    assert len(upstream.log) == 0


def test_an_unknown_name_has_close_matches(with_bert: ModelManager) -> None:
    for use in (with_bert.unload, lambda name: with_bert.predict(name, "a cat")):
        with pytest.raises(UnknownNameError, match="Did you mean 'reader'") as raised:
            use("raeder")
        assert "loaded are: reader" in raised.value.remedy
    with pytest.raises(UnknownNameError) as raised:
        ModelManager().predict("reader", "a cat")
    assert "loaded are: none" in raised.value.remedy


def test_what_cannot_be_had_is_an_error_and_takes_no_name(
    manager: ModelManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_NETWORK", "block")
    with pytest.raises(UnavailableError) as raised:
        manager.load_model(BERT, name="reader")
    assert raised.value.reason == Reason.NOT_CACHED
    with pytest.raises(UnknownNameError):
        manager.load_model("squeezenett")
    with pytest.raises(UsageError, match="unknown task"):
        manager.load_model(BERT, task="fill-masks")
    assert manager.list() == {}


def test_threads_that_ask_at_once_get_one_model(manager: ModelManager) -> None:
    start = threading.Barrier(4)

    def load(_number: int) -> Any:
        start.wait()
        return manager.load_model(BERT, name="reader")

    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(load, range(4)))
    assert len({id(each) for each in got}) == 1


@pytest.fixture
def of_the_process() -> Iterator[ModelManager]:
    get_model_manager.cache_clear()
    yield get_model_manager()
    get_model_manager.cache_clear()


def test_the_manager_of_the_process_outlives_a_change_of_settings(
    of_the_process: ModelManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of_the_process.load_model("mock-cnn", name="mine")
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "other"))
    assert get_model_manager() is of_the_process
    assert list(get_model_manager().list()) == ["mine"]
    of_the_process.load_model(BERT, name="reader")
    assert (tmp_path / "other" / "models" / "huggingface_org--bert").is_dir()


@pytest.mark.parametrize("name", [3, ["v"], b"v"])
def test_a_name_is_a_text(manager: ModelManager, name: Any) -> None:
    for use in (lambda: manager.load_model("mock:vision", name=name), lambda: manager.unload(name)):
        with pytest.raises(UsageError, match="is no name for a model in memory"):
            use()
    assert manager.list() == {}


def test_a_model_predicts_while_another_one_is_fetched(
    manager: ModelManager, upstream: StandIn, published: Any
) -> None:
    manager.load_model("mock-cnn", name="mine")
    slow = Slowed(len(published[0]["model.safetensors"]) / 1.5)
    upstream.fault(slow, "model.safetensors", server="cdn", times=None)
    with ThreadPoolExecutor(2) as pool:
        coming = pool.submit(manager.load_model, BERT, name="reader")
        while not upstream.log.gets("model.safetensors"):
            assert not coming.done()
            time.sleep(0.01)
        assert manager.predict("mine", torch.zeros(1, 3, 32, 32)).shape == (1, 10)
        assert list(manager.list()) == ["mine"]
        assert not coming.done()
        assert coming.result(60).source == "pretrained"
