"""Named bytes in a folder, on S3, in memory, and where a file must be renamed to appear whole."""

import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fsspec.implementations.local import LocalFileSystem
from s3 import S3Server

from pytest_potmodels.transfer.remote.backends import Backend, FsspecFolder, SharedFolder
from pytest_potmodels.transfer.remote.opening import open_backend

DATA = bytes(range(256)) * 100


class Stubborn(LocalFileSystem):  # type: ignore[misc]  # fsspec has no types
    """A folder where a rename replaces nothing, as over SFTP."""

    protocol = "stubborn"

    def mv(self, path1: str, path2: str, **options: Any) -> None:
        if Path(path2).exists():
            raise FileExistsError(path2)
        super().mv(path1, path2, **options)


@pytest.fixture(params=["folder", "file", "S3", "memory", "renames"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Backend:
    """An empty one of each kind."""
    place = tmp_path / "there"
    makers: dict[str, Callable[[], Backend]] = {
        "folder": lambda: open_backend(str(place)),
        "file": lambda: open_backend(place.as_uri()),
        "S3": lambda: open_backend(_bucket(request.getfixturevalue("s3"))),
        "memory": lambda: open_backend(f"memory://{uuid.uuid4().hex}/models"),
        "renames": lambda: FsspecFolder(Stubborn(), str(place), renames=True),
    }
    return makers[request.param]()


def _bucket(server: S3Server) -> str:
    return f"{server.make(f'backend-{uuid.uuid4().hex[:8]}')}/models"


def test_what_was_written_is_read_in_parts(backend: Backend) -> None:
    backend.write("a/b/name", DATA)
    assert backend.size("a/b/name") == len(DATA)
    assert backend.read("a/b/name", 0, 10**6) == DATA
    assert backend.read("a/b/name", 100, 356) == DATA[100:356]
    assert backend.read("a/b/name", len(DATA) - 5, len(DATA) + 5) == DATA[-5:]
    assert backend.read("a/b/name", len(DATA), len(DATA) + 5) == b""


def test_a_name_that_is_not_there_is_no_file(backend: Backend) -> None:
    with pytest.raises(FileNotFoundError):
        backend.read("a/b/name", 0, 10)
    with pytest.raises(FileNotFoundError):
        backend.size("a/b/name")
    backend.write("a/b/name", DATA)
    with pytest.raises((FileNotFoundError, OSError)):
        backend.size("a/b")


def test_a_file_is_uploaded_and_a_second_one_takes_its_place(
    backend: Backend, tmp_path: Path
) -> None:
    source = tmp_path / "source"
    for data in (DATA, b"another"):
        source.write_bytes(data)
        backend.upload(source, "objects/ab/name")
        assert backend.read("objects/ab/name", 0, 10**6) == data
    backend.write("objects/ab/name", b"third")
    assert backend.read("objects/ab/name", 0, 10**6) == b"third"


@pytest.mark.slow
@pytest.mark.slow
def test_a_large_file_crosses_in_several_parts(s3: S3Server, tmp_path: Path) -> None:
    source = tmp_path / "source"
    with source.open("wb") as stream:
        stream.truncate(101 * 2**20)
    backend = open_backend(_bucket(s3))
    backend.upload(source, "large")
    assert backend.size("large") == 101 * 2**20
    assert backend.read("large", 101 * 2**20 - 3, 101 * 2**20) == bytes(3)


@pytest.mark.parametrize("kind", ["folder", "renames"])
def test_what_could_not_be_written_leaves_nothing_behind(kind: str, tmp_path: Path) -> None:
    place = tmp_path / "there"
    backend: Backend = (
        SharedFolder(place)
        if kind == "folder"
        else FsspecFolder(LocalFileSystem(), str(place), renames=True)
    )
    with pytest.raises(OSError, match="absent"):
        backend.upload(tmp_path / "absent", "objects/ab/name")
    assert not [path for path in place.rglob("*") if path.is_file()]
