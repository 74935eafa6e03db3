"""The presets' models, with random weights, where the presets look for them."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from standin import StandIn, models

from pytest_potmodels.model_setup import ModelConfig, ModelPreset

_CONFIG = """
[tool.potmodels.models.{architecture}]
source = "torchvision"
name = "{architecture}"
weights = "https://download.pytorch.org/models/{file}"
"""


@dataclass(frozen=True)
class Published:
    """Content by name: torchvision's state dicts (file, bytes), and the hub's repositories."""

    weights: dict[str, tuple[str, bytes]]
    repositories: dict[str, dict[str, bytes]]


@pytest.fixture(scope="session")
def published() -> Published:
    # Real architectures at full size; the language models are tiny BERTs.
    return Published(
        weights={name: models.torchvision_weights(name) for name in ("mobilenet_v2", "resnet18")},
        repositories={
            "distilbert/distilbert-base-uncased": models.tiny_bert(seed=1),
            "google-bert/bert-base-uncased": models.tiny_bert(seed=2),
        },
    )


@pytest.fixture
def project(tmp_path: Path, published: Published, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose torchvision presets are the state dicts made here, and an empty cache.

    Their names carry the hash of their bytes, so that they are checked as torchvision's are.
    """
    tables = [
        _CONFIG.format(architecture=name, file=file)
        for name, (file, _) in published.weights.items()
    ]
    tmp_path.joinpath("pyproject.toml").write_text("".join(tables), encoding="utf-8")
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_OFFLINE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("POT_RETRIES", "0")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def upstream(
    site: StandIn, published: Published, project: Path, monkeypatch: pytest.MonkeyPatch
) -> StandIn:
    """The hub and download.pytorch.org with the presets' models; the project is set to them."""
    for file, data in published.weights.values():
        site.add_download(f"/models/{file}", data)
    for repo, files in published.repositories.items():
        site.add_repo(repo, files, aliases=(repo.partition("/")[2],))
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    return site


@pytest.fixture
def offline(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POT_NETWORK", "block")


@pytest.fixture
def run(upstream: StandIn) -> Callable[..., dict[str, Any]]:
    """Run a snippet; what it takes for granted comes as keywords, what it made comes back."""

    def run_snippet(code: str, **given: Any) -> dict[str, Any]:
        names = dict(given)
        exec(compile(code, "snippet", "exec"), names)  # noqa: S102 - the texts of the tests
        return names

    return run_snippet


@pytest.fixture
def config() -> ModelConfig:
    """What the snippets call `config`."""
    return ModelConfig("vision_model", "vision", ModelPreset.MINIMAL)
