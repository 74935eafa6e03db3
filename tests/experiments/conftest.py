"""A project with an empty cache and a small torchvision network of its own, on a real server."""

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from standin import StandIn, models

from pytest_potmodels.experiments import (
    ExperimentConfig,
    ExperimentResult,
    ReproducibleExperimentRunner,
)

NETWORK = "squeezenet1_1"
_TABLE = """
[tool.potmodels.models.{network}]
source = "torchvision"
name = "{network}"
weights = "https://download.pytorch.org/models/{file}"
"""


@dataclass(frozen=True)
class Project:
    """A folder with a configuration that says which weights the network has."""

    folder: Path
    published: tuple[tuple[str, bytes], ...]

    def publish(self, number: int) -> None:
        """Point the name at one of two sets of weights."""
        table = _TABLE.format(network=NETWORK, file=self.published[number][0])
        (self.folder / "pyproject.toml").write_text(table, encoding="utf-8")


@pytest.fixture(scope="session")
def published() -> tuple[tuple[str, bytes], ...]:
    """Two sets of random weights, in files that carry their digests in their names."""
    return tuple(models.torchvision_weights(NETWORK, seed=seed) for seed in (0, 1))


@pytest.fixture
def clean(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, an empty cache, and no settings of this machine."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_OFFLINE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("POT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("POT_RETRIES", "0")
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)  # No configuration is looked for above it.
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def project(
    clean: Path,
    site: StandIn,
    published: tuple[tuple[str, bytes], ...],
    monkeypatch: pytest.MonkeyPatch,
) -> Project:
    """The project, with its network to be had."""
    for file, data in published:
        site.add_download(f"/models/{file}", data)
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    made = Project(clean, published)
    made.publish(0)
    return made


def trained(context: Any) -> dict[str, Any]:
    """Two real training steps; every generator has a part in them."""
    import random  # noqa: PLC0415

    import numpy as np  # noqa: PLC0415
    import torch  # noqa: PLC0415
    from torch.nn import functional  # noqa: PLC0415

    module = context.model.model.train()
    optimizer = torch.optim.SGD(module.parameters(), lr=context.parameters.get("lr", 0.01))
    scale = random.random() + np.random.random() + context.rng.random()  # noqa: NPY002, S311
    losses = []
    for _ in range(2):
        images = scale * torch.randn(2, 3, 32, 32)
        loss = functional.cross_entropy(module(images), torch.tensor([1, 2]))
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss)
    return {"loss": losses[-1], "losses": torch.stack(losses), "scale": np.float64(scale)}


@pytest.fixture
def run(clean: Path) -> Callable[..., ExperimentResult]:
    """Run a function, or the training steps, under a plan with the mock preset."""

    def run_it(function: Callable[[Any], Any] = trained, **values: Any) -> ExperimentResult:
        plan = {"experiment_name": "demo", "model_architecture": "test", **values}
        return ReproducibleExperimentRunner(ExperimentConfig(**plan)).run(function)

    return run_it


@pytest.fixture
def result(run: Callable[..., ExperimentResult]) -> ExperimentResult:
    """A result on disk."""
    return run(lambda _: {"loss": 0.5, "words": "fine", "nest": {"deep": [1, 2]}})


def changed(result: ExperimentResult, **values: Any) -> ExperimentResult:
    """The same result with other values."""
    return replace(result, **values)
