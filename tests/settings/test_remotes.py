"""The address of a remote: what is one, and what is said of one that is none."""

from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import UnknownNameError, UsageError
from pytest_potmodels.settings.resolution import resolve
from pytest_potmodels.settings.values import Settings


def settings(tmp_path: Path, remote: str) -> Settings:
    return resolve({}, {"POT_REMOTE": remote}, tmp_path)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("s3://bucket/prefix/", "s3://bucket/prefix"),
        ("S3://Bucket", "s3://Bucket"),
        ("gs://bucket", "gs://bucket"),
        ("file:///share/models", "file:///share/models"),
        ("sftp://host/models", "sftp://host/models"),
        ("memory://here", "memory://here"),
        ("/share/models", str(Path("/share/models").absolute())),
        ("s3://KEY:SECRET@bucket", "s3://KEY:SECRET@bucket"),
        ("none", None),
    ],
    ids=lambda value: str(value).replace("/", "_"),
)
def test_an_address_is_taken_as_it_is_meant(
    tmp_path: Path, written: str, meant: str | None
) -> None:
    assert settings(tmp_path, written).remote == meant


def test_there_is_no_remote_unless_one_is_named(tmp_path: Path) -> None:
    assert resolve({}, {}, tmp_path).remote is None


def test_a_path_in_a_file_starts_at_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "potmodels.toml").write_text('remote = "share"\n')
    (tmp_path / "tests").mkdir()
    found = resolve({}, {}, tmp_path / "tests")
    assert found.remote == str(tmp_path / "share")
    monkeypatch.chdir(tmp_path / "tests")
    assert settings(tmp_path, "other").remote == str(tmp_path / "tests" / "other")
    assert settings(tmp_path, "none").remote is None


@pytest.mark.parametrize("written", [7, ["s3://bucket"], True])
def test_what_is_no_text_is_refused_with_its_place(tmp_path: Path, written: Any) -> None:
    (tmp_path / "potmodels.toml").write_text(f"remote = {str(written).lower()}\n")
    with pytest.raises(UsageError, match=r"potmodels\.toml:1: .* is no remote"):
        resolve({}, {}, tmp_path)


def test_an_unknown_scheme_is_an_error_with_close_matches(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"POT_REMOTE: .*'sftpp'. Did you mean 'sftp'"):
        settings(tmp_path, "sftpp://host/models")


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("file://host/models", "is no folder; write file:///PATH"),
        ("file://", "is no folder"),
        ("s3://", "names no bucket"),
        ("s3://KEY:SECRET@", "names no bucket"),
        ("s3://bucket?endpoint=x", "FSSPEC_S3_"),
        ("s3://bucket#x", "FSSPEC_S3_"),
        ("simplecache::s3://bucket", "chain"),
    ],
    ids=["host", "empty", "no bucket", "only keys", "query", "fragment", "chain"],
)
def test_what_fsspec_would_take_for_something_else_is_refused(
    tmp_path: Path, written: str, said: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        settings(tmp_path, written)
    assert "SECRET" not in str(caught.value)


def test_the_password_of_a_remote_is_in_no_header_and_no_traceback(tmp_path: Path) -> None:
    found = settings(tmp_path, "s3://KEYKEYKEY:SECRET@bucket/x")
    assert found.non_defaults() == ["remote=s3://bucket/x (POT_REMOTE)"]
    assert "SECRET" not in repr(found)
