"""A cache service for the jobs of a test, and a project whose jobs use it."""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from action.cache_service import CacheService
from action.jobs import require_runner
from action.project import Project
from cli.harness import Cli
from standin import StandIn


@pytest.fixture
def service() -> Iterator[CacheService]:
    """A cache service of its own; skips where no action can run."""
    require_runner()
    with CacheService() as service:
        yield service


@pytest.fixture
def project(
    service: CacheService, site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Project:
    """A project with a lock of one model, and another model on the hub."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_", "GITHUB_", "ACTIONS_")):
            monkeypatch.delenv(name)
    author = tmp_path / "author"
    (author / ".git").mkdir(parents=True)
    monkeypatch.chdir(author)
    cli = Cli(site, author, {**site.environ(), "POT_CACHE_DIR": str(tmp_path / "authors-cache")})
    for number, name in enumerate(("org/tiny", "org/other")):
        weights = random.Random(number).randbytes(300_000)  # noqa: S311 - bytes that do not compress
        files = {"config.json": b'{"model_type": "bert"}', "model.safetensors": weights}
        site.add_repo(name, files)
    project = Project(site, service, tmp_path, cli)
    project.lock("huggingface:org/tiny")
    return project
