"""Two computers and a remote between them: one has the model, the other has an empty cache."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import fsspec
import pytest
from machine import Machine
from standin import Repo, StandIn

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.store.remote.layout import object_name
from pytest_potmodels.store.remote.pushing import How, Pushed, Pushing
from pytest_potmodels.transfer import Deadline

NAME = "huggingface:org/model"
WEIGHTS = "model.safetensors"
FILES = {
    WEIGHTS: bytes(range(256)) * 1600,
    "config.json": b'{"model_type": "bert"}',
    "empty.json": b"",
    "copy.safetensors": bytes(range(256)) * 1600,
}


@dataclass(frozen=True)
class Inside:
    """A remote as it lies there, to look at and to tamper with."""

    url: str

    def names(self) -> list[str]:
        files, root = self._there
        return sorted(name.partition(f"{root}/")[2] for name in files.find(root))

    def read(self, name: str) -> bytes:
        files, root = self._there
        return bytes(files.cat_file(f"{root}/{name}"))

    def write(self, name: str, data: bytes) -> None:
        files, root = self._there
        if "://" not in self.url:
            files.makedirs(f"{root}/{name}".rpartition("/")[0], exist_ok=True)
        files.pipe_file(f"{root}/{name}", data)

    def delete(self, name: str) -> None:
        files, root = self._there
        files.rm_file(f"{root}/{name}")

    def documents(self, kind: str) -> list[str]:
        return [name for name in self.names() if name.startswith(f"{kind}/")]

    @property
    def _there(self) -> tuple[Any, str]:
        files, root = fsspec.url_to_fs(self.url, use_listings_cache=False)
        files.invalidate_cache()
        return files, root.rstrip("/")


@dataclass(frozen=True)
class Bench:
    """The servers, the remote, and two machines that know it."""

    site: StandIn
    repo: Repo
    inside: Inside
    full: Machine
    empty: Machine

    def push(self, stored: StoredModel, **how: Any) -> Pushed:
        transfer = self.full.pipeline().transfer
        with transfer.remote(self.inside.url, Deadline(30)) as folder:
            return Pushing(folder, How(**how)).push(stored)

    def requests(self) -> int:
        """Requests to the hub and its like since the last look."""
        count = len(self.site.log)
        self.site.log.clear()
        return count

    def hub_is_gone(self) -> None:
        self.site.close()

    def weights(self) -> str:
        """The object of the weights."""
        return next(name for name in self.objects() if len(self.inside.read(name)) > 1000)

    def objects(self) -> list[str]:
        return self.inside.documents("objects")

    def with_options(self, **options: Any) -> Machine:
        return replace(self.empty, options={**self.empty.options, **options})


def is_right(stored: StoredModel) -> bool:
    """Whether the bytes on disk are those on the hub, and the cache says so, too."""
    found = {file.path: (stored.path / file.path).read_bytes() for file in stored.files}
    return found == {path: data for path, data in FILES.items() if path in found}


@pytest.fixture
def bench(site: StandIn, remote: str, tmp_path: Path) -> Bench:
    """A remote that is empty still, in a folder and on S3."""
    return _bench(site, remote, tmp_path)


@pytest.fixture
def shared(site: StandIn, tmp_path: Path) -> Bench:
    """A remote in a folder, for what does not depend on where it lies."""
    return _bench(site, str(tmp_path / "share"), tmp_path)


def _bench(site: StandIn, remote: str, folder: Path) -> Bench:
    repo = site.add_repo("org/model", FILES, aliases=("old-model",), license="mit")
    return Bench(
        site,
        repo,
        Inside(remote),
        Machine(site, folder / "full"),
        Machine(site, folder / "empty", {"remote": remote}),
    )


@pytest.fixture
def pushed(bench: Bench) -> Bench:
    """A remote that has the model."""
    bench.push(bench.full.acquire(NAME))
    bench.site.log.clear()
    return bench


@pytest.fixture
def folder(shared: Bench) -> Bench:
    """A remote in a folder that has the model."""
    shared.push(shared.full.acquire(NAME))
    shared.site.log.clear()
    return shared


__all__ = ["FILES", "NAME", "WEIGHTS", "Bench", "is_right", "object_name"]
