"""A model store on an empty cache, and models to admit to it."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.identifiers import parse
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.layout import Layout

FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 1000}


@dataclass
class Shelf:
    """A store, and a source of models that is as near as memory."""

    cache: Path
    #: The paths of all files that were fetched, in order.
    fetched: list[str] = field(default_factory=list)

    @property
    def layout(self) -> Layout:
        return Layout.at(self.cache)

    @property
    def store(self) -> ModelStore:
        return ModelStore(self.layout)

    def admit(
        self, name: str, files: Mapping[str, bytes] = FILES, *, again: bool = False, **facts: Any
    ) -> StoredModel:
        resolved = resolved_of(name, files, **facts)
        with self.store.locked(resolved.id, timeout=5):
            return self.store.admit(resolved, self.fetcher(files), timeout=5, again=again)

    def mend(self, stored: StoredModel, files: Mapping[str, bytes] = FILES) -> list[str]:
        with self.store.locked(stored.id, timeout=5):
            bad = self.store.mend(stored, self.fetcher(files), timeout=5)
        return [damage.file.path for damage in bad]

    def find(self, name: str) -> StoredModel | None:
        model_id = parse(name)
        assert model_id is not None
        return self.store.find(model_id)

    def damaged(self, stored: StoredModel, *, whole: bool = False) -> dict[str, str]:
        """What is found of each damaged file."""
        return {bad.file.path: bad.found for bad in self.store.verify(stored, whole=whole)}

    def folders(self) -> list[str]:
        return sorted(path.name for path in self.layout.models.iterdir())

    def quarantined(self) -> list[bytes]:
        return [path.read_bytes() for path in self.layout.quarantine.rglob("*") if path.is_file()]

    def fetcher(
        self, files: Mapping[str, bytes]
    ) -> Callable[[Sequence[RemoteFile], Path], tuple[StoredFile, ...]]:
        def fetch(wanted: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
            for file in wanted:
                self.fetched.append(str(file.path))
                place = stage / file.path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(files[str(file.path)])
            return tuple(stored_file(str(file.path), files[str(file.path)]) for file in wanted)

        return fetch


def stored_file(path: str, data: bytes) -> StoredFile:
    return StoredFile(path, len(data), hashlib.sha256(data).hexdigest(), f"https://hub.test/{path}")


def resolved_of(name: str, files: Mapping[str, bytes] = FILES, **facts: Any) -> ResolvedModel:
    """The answer of a source: by default at a commit that follows from the files."""
    model_id = parse(name)
    assert model_id is not None
    commit = hashlib.sha1(repr(sorted(files.items())).encode(), usedforsecurity=False).hexdigest()
    remote = tuple(RemoteFile(PurePosixPath(path), f"https://hub.test/{path}") for path in files)
    known: dict[str, Any] = {"kind": "language", "format": "transformers", "revision": commit}
    return ResolvedModel(model_id, files=remote, **{**known, **facts})


def flip(path: Path, at: int = 3) -> None:
    """Change one byte, whatever the permissions say."""
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.chmod(0o644)
    path.write_bytes(bytes(data))


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path / "cache")


@pytest.fixture
def resolved() -> Callable[..., ResolvedModel]:
    return resolved_of


@pytest.fixture
def flip_byte() -> Callable[..., None]:
    return flip
