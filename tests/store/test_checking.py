import os
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.store import checking, signatures

NAME = "huggingface:org/model"
WEIGHTS = "model.safetensors"
posix_only = pytest.mark.skipif(os.name == "nt", reason="links and pipes as POSIX has them")


@pytest.fixture
def stored(shelf: Any) -> Any:
    return shelf.admit(NAME)


def record(shelf: Any, stored: Any) -> Path:
    path: Path = shelf.layout.signatures(stored.path.name)
    return path


def test_what_was_admitted_is_whole(shelf: Any, stored: Any) -> None:
    assert shelf.damaged(stored) == {}
    assert shelf.damaged(stored, whole=True) == {}


def test_a_flipped_byte_is_found(shelf: Any, stored: Any, flip_byte: Any) -> None:
    flip_byte(stored.path / WEIGHTS)
    for whole in (False, True, False):
        found = shelf.damaged(stored, whole=whole)
        assert list(found) == [WEIGHTS]
        assert len(found[WEIGHTS]) == 64


def test_a_flipped_byte_is_found_behind_a_forged_modification_time(
    shelf: Any, stored: Any, flip_byte: Any
) -> None:
    path = stored.path / WEIGHTS
    before = path.stat()
    flip_byte(path)
    path.chmod(0o444)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert list(shelf.damaged(stored)) == [WEIGHTS]


def test_a_change_right_after_the_check_is_found(shelf: Any, stored: Any, flip_byte: Any) -> None:
    path = stored.path / WEIGHTS
    for _ in range(20):
        path.chmod(0o644)  # a new ctime, in the tick in which the next check runs
        assert shelf.damaged(stored) == {}
        flip_byte(path)
        assert list(shelf.damaged(stored)) == [WEIGHTS]
        flip_byte(path)


def test_an_unchanged_signature_is_proof_enough(shelf: Any, stored: Any, flip_byte: Any) -> None:
    path = stored.path / WEIGHTS
    flip_byte(path)
    time.sleep(0.05)
    marks = {WEIGHTS: signatures.signature(path)}
    signatures.write(record(shelf, stored), marks)
    assert shelf.damaged(stored) == {}
    assert list(shelf.damaged(stored, whole=True)) == [WEIGHTS]


def test_a_touched_file_is_hashed_once_and_known_again(shelf: Any, stored: Any) -> None:
    (stored.path / WEIGHTS).touch()
    time.sleep(0.05)
    assert shelf.damaged(stored) == {}
    assert signatures.read(record(shelf, stored)) == signatures.of(stored)


def test_a_file_that_changed_a_moment_ago_is_not_vouched_for_yet(shelf: Any, stored: Any) -> None:
    for _ in range(50):  # a busy machine may be away for longer than a tick
        (stored.path / WEIGHTS).touch()
        assert shelf.damaged(stored) == {}
        if set(signatures.read(record(shelf, stored))) == {"config.json"}:
            break
    else:
        pytest.fail("a fresh signature was trusted each time")


def test_a_damaged_file_is_never_vouched_for(shelf: Any, stored: Any, flip_byte: Any) -> None:
    flip_byte(stored.path / WEIGHTS)
    time.sleep(0.05)
    shelf.damaged(stored)
    assert set(signatures.read(record(shelf, stored))) == {"config.json"}


@pytest.mark.parametrize("damage", ["absent", "garbage", "foreign"])
def test_without_signatures_the_bytes_are_hashed(
    shelf: Any, stored: Any, flip_byte: Any, damage: str
) -> None:
    marks = record(shelf, stored)
    marks.unlink()
    if damage != "absent":
        marks.write_text({"garbage": "{", "foreign": '{"model.safetensors": [1, 2, 3, 4]}'}[damage])
    assert shelf.damaged(stored) == {}
    flip_byte(stored.path / WEIGHTS)
    assert list(shelf.damaged(stored)) == [WEIGHTS]


def test_an_absent_file_is_found(shelf: Any, stored: Any) -> None:
    (stored.path / WEIGHTS).unlink()
    assert shelf.damaged(stored) == {WEIGHTS: checking.ABSENT}


def test_a_file_that_grew_or_shrank_is_found(shelf: Any, stored: Any) -> None:
    path = stored.path / WEIGHTS
    data = path.read_bytes()
    for wrong in (data + b"x", data[:-1], b""):
        path.chmod(0o644)
        path.write_bytes(wrong)
        assert list(shelf.damaged(stored)) == [WEIGHTS]


@posix_only
def test_a_planted_link_is_found_even_to_the_right_bytes(
    shelf: Any, stored: Any, tmp_path: Path
) -> None:
    path = stored.path / WEIGHTS
    path.rename(tmp_path / "outside")
    path.symlink_to(tmp_path / "outside")
    assert shelf.damaged(stored) == {WEIGHTS: "a symbolic link"}


@posix_only
def test_a_planted_link_to_a_folder_is_found(shelf: Any, tmp_path: Path) -> None:
    stored = shelf.admit(NAME, {"1_Pooling/config.json": b"{}", "model.safetensors": b"w"})
    (stored.path / "1_Pooling").rename(tmp_path / "outside")
    (stored.path / "1_Pooling").symlink_to(tmp_path / "outside")
    assert shelf.damaged(stored) == {"1_Pooling/config.json": "a symbolic link"}


@posix_only
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_plain_file_is_found_and_not_waited_for(
    shelf: Any, stored: Any, make: Any
) -> None:
    (stored.path / WEIGHTS).unlink()
    make(stored.path / WEIGHTS)
    assert shelf.damaged(stored) == {WEIGHTS: "no plain file"}


@posix_only
def test_a_file_that_cannot_be_read_is_damaged(shelf: Any, stored: Any) -> None:
    (stored.path / WEIGHTS).chmod(0)
    if os.access(stored.path / WEIGHTS, os.R_OK):
        pytest.skip("this user reads what it may not (root)")
    found = shelf.damaged(stored)
    assert found == {WEIGHTS: "a file that cannot be read (Permission denied)"}


def test_the_error_says_what_was_expected_and_found(
    shelf: Any, stored: Any, flip_byte: Any
) -> None:
    flip_byte(stored.path / WEIGHTS)
    (bad,) = shelf.store.verify(stored, whole=True)
    error = checking.mismatch(stored, bad)
    expected = next(file.sha256 for file in stored.files if file.path == WEIGHTS)
    assert (error.expected, error.found) == (expected, bad.found)
    for said in (NAME, str(stored.path / WEIGHTS), expected, bad.found):
        assert said in error.message
    assert error.remedy == f"potmodels download --force {NAME}"
    assert checking.mismatch(stored, bad, "another").remedy == "another"
