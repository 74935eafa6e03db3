"""A model store on an empty cache, and models to admit to it."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, ResolvedModel, StoredFile, StoredModel
from pytest_potmodels.identifiers import parse
from pytest_potmodels.store.cache import ModelStore
from pytest_potmodels.store.derived import DerivedModel, DerivedStore
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


KEY = "0123abcd-aligned-1"
MADE = {"weights.bin": b"aligned" * 500, "sub/index": b"0 64 128"}


@dataclass
class Bench:
    """A shelf, and what is made from its models."""

    shelf: Shelf
    second: Path | None = None
    #: The stage of each call of `write`.
    stages: list[Path] = field(default_factory=list)

    @property
    def store(self) -> DerivedStore:
        return DerivedStore(self.shelf.layout, second=self.second)

    def source(self, name: str = "huggingface:org/model") -> StoredModel:
        return self.shelf.find(name) or self.shelf.admit(name, {"f": name.encode()})

    def admit(
        self,
        key: str = KEY,
        files: Mapping[str, bytes] = MADE,
        *,
        source: StoredModel | None = None,
        room: int = 0,
        **facts: Any,
    ) -> DerivedModel:
        def write(stage: Path) -> Mapping[str, Any]:
            self.stages.append(stage)
            assert list(stage.iterdir()) == []
            for path, data in files.items():
                (stage / path).parent.mkdir(parents=True, exist_ok=True)
                (stage / path).write_bytes(data)
            return facts

        of = source or self.source()
        return self.store.admit(key, of, {"torch": "2.13.0"}, write, timeout=5, room=room)

    def quarantined(self) -> list[str]:
        return [path.name.rpartition("-")[0] for path in self.shelf.layout.quarantine.glob("*")]

    def under_way(self) -> list[Path]:
        return list(self.shelf.layout.partial.glob("*"))


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
def bench(shelf: Shelf) -> Bench:
    return Bench(shelf)


@pytest.fixture
def closed(shelf: Shelf) -> Iterator[Callable[[], None]]:
    """Make the cache read-only, as an image layer or a shared mount is."""
    mounted: list[str] = []

    def close() -> None:
        place = str(shelf.cache)
        try:
            for how in (["--bind", place, place], ["-o", "remount,bind,ro", place]):
                subprocess.run(["mount", *how], check=True, capture_output=True)
                mounted.append(place)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("no right to mount here")

    yield close
    if mounted:
        subprocess.run(["umount", "-l", mounted[0]], check=True)


@pytest.fixture
def resolved() -> Callable[..., ResolvedModel]:
    return resolved_of


@pytest.fixture
def flip_byte() -> Callable[..., None]:
    return flip
