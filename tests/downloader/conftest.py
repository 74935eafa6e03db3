"""torchvision and a hub of this machine, with models of random numbers under their real names."""

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from standin import StandIn, models

from pytest_potmodels.catalog import torchvision_weights
from pytest_potmodels.downloader import ModelDownloader, getters
from pytest_potmodels.settings.latest import Latest

ARCHITECTURES = ("resnet18", "mobilenet_v2", "resnet50", "efficientnet_b0", "vgg16")
REPOSITORIES = (
    "google-bert/bert-base-uncased",
    "distilbert/distilbert-base-uncased",
    "FacebookAI/roberta-base",
)
_TABLE = """
[{name}]
default = "IMAGENET1K_V1"
[{name}.weights.IMAGENET1K_V1]
url = "https://download.pytorch.org/models/{file}"
sha256 = "{prefix}"
size = {size}
categories = 1000
"""


@pytest.fixture(scope="session")
def repositories() -> dict[str, dict[str, bytes]]:
    return {name: models.tiny_bert(seed=seed) for seed, name in enumerate(REPOSITORIES)}


@pytest.fixture
def publish(
    site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, str, bytes], None]]:
    """Have torchvision publish weights: the shipped table is data, and so is this one."""
    table = tmp_path / "torchvision_weights.toml"
    monkeypatch.setattr(torchvision_weights, "_TABLE", str(table))
    rows: dict[str, str] = {}

    def forget() -> None:
        torchvision_weights._table.cache_clear()
        torchvision_weights.architectures.cache_clear()

    def add(name: str, file: str, data: bytes) -> None:
        site.add_download(f"/models/{file}", data)
        rows[name] = _TABLE.format(name=name, file=file, prefix=file[-12:-4], size=len(data))
        table.write_text("".join(rows.values()))
        forget()

    yield add
    forget()


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with an empty cache, and nothing of this machine's own settings."""
    for name in os.environ:
        if name.startswith(("POT_", "HF_", "TRANSFORMERS_")):
            monkeypatch.delenv(name)
    folder = tmp_path / "project"
    (folder / ".git").mkdir(parents=True)  # No configuration is looked for above it.
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("POT_CACHE_DIR", str(folder / "cache"))
    monkeypatch.setenv("POT_RETRIES", "0")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(getters, "_LATEST", Latest(ModelDownloader))
    return folder


@pytest.fixture
def upstream(
    site: StandIn,
    repositories: dict[str, dict[str, bytes]],
    project: Path,
    publish: Callable[[str, str, bytes], None],
    monkeypatch: pytest.MonkeyPatch,
) -> StandIn:
    """The hub and download.pytorch.org; example.com is there, too."""
    for name in ARCHITECTURES:
        data = f"weights of {name}".encode() * 10_000  # Only fetched: any bytes will do.
        publish(name, f"{name}-{hashlib.sha256(data).hexdigest()[:8]}.pth", data)
    for repo, files in repositories.items():
        site.add_repo(repo, files, aliases=(repo.partition("/")[2],))
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    mirrors = f"{site.environ()['POT_MIRRORS']} https://example.com={site.downloads.url}"
    monkeypatch.setenv("POT_MIRRORS", mirrors)
    return site
