import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.artifacts import RemoteFile, StoredFile
from pytest_potmodels.digests import Digest
from pytest_potmodels.errors import DigestMismatchError, Reason, StoreError, UnavailableError

NAME = "huggingface:org/model"
WEIGHTS = "model.safetensors"
FILES = {"1_Pooling/config.json": b"[]", "config.json": b"{}", WEIGHTS: b"weights" * 1000}
posix_only = pytest.mark.skipif(os.name == "nt", reason="links as POSIX has them")


@pytest.fixture
def stored(shelf: Any) -> Any:
    made = shelf.admit(NAME, FILES)
    shelf.fetched.clear()
    return made


def test_only_the_damaged_file_is_fetched_again(shelf: Any, stored: Any, flip_byte: Any) -> None:
    flip_byte(stored.path / WEIGHTS)
    bad = (stored.path / WEIGHTS).read_bytes()
    untouched = (stored.path / "config.json").stat()
    assert shelf.mend(stored, FILES) == [WEIGHTS]
    assert shelf.fetched == [WEIGHTS]
    assert shelf.damaged(stored, whole=True) == {}
    assert (stored.path / "config.json").stat() == untouched
    assert not (stored.path / WEIGHTS).stat().st_mode & 0o222
    assert shelf.quarantined() == [bad]


def test_what_is_whole_is_not_fetched(shelf: Any, stored: Any) -> None:
    assert shelf.mend(stored, FILES) == []
    assert shelf.fetched == []


def test_damage_is_reported(
    shelf: Any, stored: Any, flip_byte: Any, caplog: pytest.LogCaptureFixture
) -> None:
    flip_byte(stored.path / WEIGHTS)
    shelf.mend(stored, FILES)
    (said,) = (record for record in caplog.records if record.levelname == "WARNING")
    assert f"{NAME}: {WEIGHTS}: expected sha256" in said.message


def test_the_file_is_asked_for_with_all_that_is_known_of_it(
    shelf: Any, stored: Any, flip_byte: Any
) -> None:
    asked: list[RemoteFile] = []

    def fetch(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        asked.extend(files)
        return tuple(shelf.fetcher(FILES)(files, stage))

    flip_byte(stored.path / WEIGHTS)
    with shelf.store.locked(stored.id, timeout=5):
        shelf.store.mend(stored, fetch, timeout=5)
    (file,) = asked
    known = next(each for each in stored.files if each.path == WEIGHTS)
    assert (file.url, file.size) == (known.url, known.size)
    assert file.digests == (Digest("sha256", known.sha256),)


def test_an_absent_file_is_brought_back(shelf: Any, stored: Any) -> None:
    (stored.path / "1_Pooling/config.json").unlink()
    (stored.path / "1_Pooling").rmdir()
    assert shelf.mend(stored, FILES) == ["1_Pooling/config.json"]
    assert shelf.damaged(stored, whole=True) == {}
    assert shelf.quarantined() == []


@posix_only
def test_a_planted_link_makes_room_and_what_it_leads_to_is_left_alone(
    shelf: Any, stored: Any, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "config.json").write_text("mine")
    (stored.path / WEIGHTS).unlink()
    (stored.path / WEIGHTS).symlink_to(outside / "config.json")
    (stored.path / "1_Pooling/config.json").unlink()
    (stored.path / "1_Pooling").rmdir()
    (stored.path / "1_Pooling").symlink_to(outside)
    shelf.mend(stored, FILES)
    assert shelf.damaged(stored, whole=True) == {}
    assert not any(path.is_symlink() for path in stored.path.rglob("*"))
    assert [(path.name, path.read_text()) for path in outside.iterdir()] == [
        ("config.json", "mine")
    ]


@pytest.mark.parametrize("place", [WEIGHTS, "1_Pooling"])
def test_what_is_no_file_makes_room(shelf: Any, stored: Any, place: str) -> None:
    shelf.store.remove(stored)
    stored = shelf.admit(NAME, FILES)
    (stored.path / place).rename(stored.path.parent / "gone")
    if place == WEIGHTS:
        (stored.path / place).mkdir()
        (stored.path / place / "inner").write_text("odd")
    else:
        (stored.path / place).write_text("odd")
    shelf.mend(stored, FILES)
    assert shelf.damaged(stored, whole=True) == {}
    assert shelf.quarantined() == [b"odd"]


@pytest.mark.parametrize(
    "error",
    [
        UnavailableError("no", reason=Reason.OFFLINE),
        DigestMismatchError("no", expected="a", found="b"),
        OSError(28, "No space left on device"),
    ],
)
def test_a_fetch_that_fails_changes_nothing(
    shelf: Any, stored: Any, flip_byte: Any, error: Exception
) -> None:
    def fetch(_files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        (stage / WEIGHTS).write_bytes(b"half")
        raise error

    flip_byte(stored.path / WEIGHTS)
    bad = (stored.path / WEIGHTS).read_bytes()
    expected = StoreError if isinstance(error, OSError) else type(error)
    with shelf.store.locked(stored.id, timeout=5), pytest.raises(expected):
        shelf.store.mend(stored, fetch, timeout=5)
    assert (stored.path / WEIGHTS).read_bytes() == bad
    assert list(shelf.damaged(stored)) == [WEIGHTS]


def test_a_file_damaged_while_another_is_mended_is_not_vouched_for(
    shelf: Any, stored: Any, flip_byte: Any
) -> None:
    def fetch(files: Sequence[RemoteFile], stage: Path) -> tuple[StoredFile, ...]:
        flip_byte(stored.path / "config.json", at=0)
        return tuple(shelf.fetcher(FILES)(files, stage))

    flip_byte(stored.path / WEIGHTS)
    with (
        shelf.store.locked(stored.id, timeout=5),
        pytest.raises(DigestMismatchError, match=r"config\.json"),
    ):
        shelf.store.mend(stored, fetch, timeout=5)
    assert list(shelf.damaged(stored)) == ["config.json"]
