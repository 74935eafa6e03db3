"""A hub with models as they are published, and a cache that was filled from it once."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from filelock import FileLock
from standin import StandIn
from standin.models import tiny_bert
from verification.onnx_files import tiny_onnx, with_external_data

from pytest_potmodels.store.leases import let_go
from pytest_potmodels.verification import ModelFileVerifier, Verification
from pytest_potmodels.verification.outcome import from_json

CONFIG = b'{"model_type": "bert", "architectures": ["BertModel"]}'
TOKEN = "hf_secret"  # noqa: S105 - of the stand-in
#: What the shared cache is filled with, in one batch.
ASKED = (
    "bert-base-uncased", "t5-small", "org/large", "org/broken", "org/empty", "org/none",
)  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """A cache that a batch has filled, and what came of each model."""

    cache: Path
    results: tuple[Verification, ...]

    def of(self, model_id: str) -> Verification:
        (found,) = [each for each in self.results if each.wanted.model_id == model_id]
        return found


@pytest.fixture(scope="session")
def hub() -> Iterator[StandIn]:
    """The servers. Names are the presets'; what they hold is tiny, and of one family."""
    bert, plain = tiny_bert(), tiny_onnx()
    graph, data = with_external_data()
    ready = {**tiny_bert(seed=1), "model.onnx": plain}
    only = {"config.json": CONFIG, "model.onnx": plain}
    with StandIn() as site:
        site.add_repo("google-bert/bert-base-uncased", bert, aliases=("bert-base-uncased",))
        site.add_repo("google-t5/t5-small", ready, aliases=("t5-small",))
        in_folder = {**tiny_bert(seed=2), "onnx/model.onnx": plain}
        site.add_repo("google/vit-base-patch16-224", in_folder)
        large = {"config.json": CONFIG, "onnx/model.onnx": graph, "onnx/model.onnx_data": data}
        site.add_repo("org/large", large)
        site.add_repo("org/broken", {"config.json": CONFIG, "model.onnx": b"no graph"})
        site.add_repo("org/empty", {"README.md": b"nothing"})
        site.add_repo("org/gated", only, gated=True, token=TOKEN)
        site.add_repo("private-repo/model", only, private=True, token=TOKEN)
        yield site


@pytest.fixture
def project(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder with an empty cache, and nothing of this machine's own settings."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_")) or name.upper().endswith("_PROXY"):
            monkeypatch.delenv(name)
    hub.heal()
    hub.log.clear()
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)
    monkeypatch.chdir(folder)
    for name, value in hub.environ().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("POT_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("POT_RETRIES", "1")
    monkeypatch.setenv("HF_HOME", str(folder / "hf"))
    yield folder
    let_go()


@pytest.fixture
def verifier(project: Path) -> ModelFileVerifier:
    """A verifier with an empty cache."""
    return ModelFileVerifier()


@pytest.fixture
def filled(
    project: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Filled:
    """The cache that one process of the session has filled; the settings name it."""
    # An export takes seconds: once for all workers.
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    cache, told = shared / "verified", shared / "verified.json"
    monkeypatch.setenv("POT_CACHE_DIR", str(cache))
    with FileLock(shared / "verified.lock"):
        if not told.exists():
            found = ModelFileVerifier().batch_verify_models([{"model_id": n} for n in ASKED])
            told.write_text(json.dumps([each.as_json() for each in found]))
    return Filled(cache, tuple(map(from_json, json.loads(told.read_text()))))


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Close the network."""
    return lambda: monkeypatch.setenv("HF_HUB_OFFLINE", "1")
