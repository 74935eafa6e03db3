import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.digests import (
    CHUNK_BYTES,
    Digest,
    FileHasher,
    digest_of_files,
    hash_file,
    read_chunks,
)

CHUNKS = st.lists(st.binary(max_size=50), max_size=10)


def git_sha1(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def promises(data: bytes) -> tuple[Digest, ...]:
    sha256 = hashlib.sha256(data).hexdigest()
    return (
        Digest("sha256", sha256),
        Digest("sha256-prefix", sha256[:8]),
        Digest("git-sha1", git_sha1(data)),
    )


@given(CHUNKS)
def test_a_stream_hashes_like_the_whole_however_it_is_cut(chunks: list[bytes]) -> None:
    data = b"".join(chunks)
    hasher = FileHasher(promises(data), len(data))
    for chunk in chunks:
        hasher.update(memoryview(chunk))
    assert hasher.sha256 == hashlib.sha256(data).hexdigest()
    assert hasher.size == len(data)
    assert hasher.mismatches() == []


@given(st.binary(min_size=1), st.data())
def test_any_flipped_byte_breaks_every_promise(data: bytes, choice: st.DataObject) -> None:
    at = choice.draw(st.integers(0, len(data) - 1))
    wrong = bytearray(data)
    wrong[at] ^= 0xFF
    hasher = FileHasher(promises(data), len(data))
    hasher.update(bytes(wrong))
    broken = hasher.mismatches()
    assert [expected for expected, _ in broken] == list(promises(data))
    assert [found for _, found in broken] == list(promises(bytes(wrong)))


@given(st.binary(min_size=1))
def test_a_missing_end_breaks_every_promise(data: bytes) -> None:
    hasher = FileHasher(promises(data), len(data))
    hasher.update(data[:-1])
    assert len(hasher.mismatches()) == 3


def test_a_prefix_is_compared_by_its_length() -> None:
    data = b"weights"
    whole = hashlib.sha256(data).hexdigest()
    for length in (8, 16, 64):
        hasher = FileHasher([Digest("sha256-prefix", whole[:length])], None)
        hasher.update(data)
        assert hasher.mismatches() == []


def test_git_agrees(tmp_path: Path) -> None:
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed")
    file = tmp_path / "f"
    for data in (b"", b"\0\xff" * 1000, b"text\r\n"):
        file.write_bytes(data)
        said = subprocess.run(
            [git, "hash-object", "--no-filters", file], capture_output=True, check=True
        )
        promise = Digest("git-sha1", said.stdout.decode().strip())
        assert hash_file(file, [promise]).mismatches() == []


def test_without_a_size_beforehand_a_blob_id_is_never_right() -> None:
    hasher = FileHasher([Digest("git-sha1", git_sha1(b"x"))], None)
    hasher.update(b"x")
    assert [found.value for _, found in hasher.mismatches()] == [""]


@pytest.mark.parametrize("size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3_000_000])
def test_a_file_of_any_size_is_hashed_whole(tmp_path: Path, size: int) -> None:
    data = bytes(number % 251 for number in range(1000)) * (size // 1000 + 1)
    file = tmp_path / "f"
    file.write_bytes(data[:size])
    hasher = hash_file(file, promises(data[:size]))
    assert (hasher.size, hasher.mismatches()) == (size, [])
    assert b"".join(bytes(chunk) for chunk in read_chunks(file)) == data[:size]


def test_a_file_that_is_not_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        hash_file(tmp_path / "absent")


def test_the_digest_of_a_folder_is_that_of_its_checksum_file(tmp_path: Path) -> None:
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("sha256sum is not installed")
    found = {}
    for name in ("b", "a", "c"):
        (tmp_path / name).write_bytes(name.encode() * 100)
        found[name] = hash_file(tmp_path / name).sha256
    said = subprocess.run([tool, "a", "b", "c"], cwd=tmp_path, capture_output=True, check=True)
    assert digest_of_files(found) == hashlib.sha256(said.stdout).hexdigest()


@given(st.dictionaries(st.text(min_size=1), st.text("0123456789abcdef", min_size=64, max_size=64)))
def test_the_digest_of_a_folder_does_not_depend_on_the_order(files: dict[str, str]) -> None:
    backwards = dict(reversed(files.items()))
    assert digest_of_files(files) == digest_of_files(backwards)


def test_a_digest_is_written_with_its_algorithm() -> None:
    assert str(Digest("sha256-prefix", "abcd1234")) == "sha256-prefix:abcd1234"
