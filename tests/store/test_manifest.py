import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.artifacts import Format, Kind, StoredFile, StoredModel
from pytest_potmodels.errors import DigestMismatchError, StoreError
from pytest_potmodels.identifiers import SOURCES, ModelId
from pytest_potmodels.store import manifest
from pytest_potmodels.store.layout import MANIFEST

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
PARTS = st.text("abcXYZ019._- é", min_size=1, max_size=8).filter(lambda part: part.strip("."))
FILES = st.builds(
    StoredFile,
    path=st.lists(PARTS, min_size=1, max_size=3).map("/".join),
    size=st.integers(min_value=0),
    sha256=HEX,
    url=TEXT,
)
MODELS = st.builds(
    StoredModel,
    id=st.builds(ModelId, st.sampled_from(SOURCES), TEXT),
    path=st.just(Path("entry")),
    kind=st.sampled_from(get_args(Kind)),
    format=st.sampled_from(get_args(Format)),
    files=st.lists(FILES, max_size=3, unique_by=lambda file: file.path).map(tuple),
    revision=st.none() | TEXT,
    refs=st.lists(TEXT).map(tuple),
    aliases=st.lists(TEXT).map(tuple),
    architecture=st.none() | TEXT,
    origin=TEXT,
    license=TEXT,
    gated=st.booleans(),
    in_place=st.just(False),  # noqa: FBT003 - a strategy's value
    fresh=st.just(False),  # noqa: FBT003
)

MODEL = StoredModel(
    id=ModelId("huggingface", "org/model"),
    path=Path("entry"),
    kind="language",
    format="transformers",
    files=(StoredFile("config.json", 2, "a" * 64, "https://hub.test/config.json"),),
    revision="0" * 40,
    refs=("", "v1"),
)
GOOD = manifest.as_json(MODEL)


def with_files(*files: Any) -> dict[str, Any]:
    """A manifest whose digest agrees with its files."""
    known = [StoredFile(**file) for file in files]
    return {**GOOD, "files": list(files), "digest": replace(MODEL, files=tuple(known)).digest}


def listed(path: str, **facts: Any) -> dict[str, Any]:
    return {"path": path, "size": 2, "sha256": "a" * 64, "url": "", **facts}


@pytest.fixture
def entry(tmp_path: Path) -> Path:
    folder = tmp_path / "entry"
    folder.mkdir()
    return folder


@given(MODELS)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, model: StoredModel
) -> None:
    path = tmp_path_factory.getbasetemp() / "entry" / MANIFEST
    manifest.write(model, path)
    assert manifest.read(path) == replace(model, path=path.parent)


def test_a_manifest_holds_every_field_of_a_model() -> None:
    elsewhere = {"id", "path", "in_place", "fresh"}
    assert {f.name for f in fields(StoredModel)} - elsewhere <= set(GOOD)
    assert {f.name for f in fields(StoredFile)} - {"came"} == set(GOOD["files"][0])


def test_no_manifest_is_no_error_of_the_cache(entry: Path) -> None:
    with pytest.raises(FileNotFoundError):
        manifest.read(entry / MANIFEST)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\x00\x01\xff",
        b"null",
        b"[]",
        b"{}",
        b'"schema"',
        b"[" * 200_000,
        json.dumps(GOOD).encode()[:-20],
        json.dumps({**GOOD, "schema": 2}).encode(),
        json.dumps({"name": "another program's model", "version": 3}).encode(),
    ],
)
def test_a_damaged_or_foreign_manifest_is_a_mismatch(entry: Path, text: bytes) -> None:
    (entry / MANIFEST).write_bytes(text)
    with pytest.raises(DigestMismatchError) as caught:
        manifest.read(entry / MANIFEST)
    assert str(entry / MANIFEST) in caught.value.message
    assert caught.value.remedy == "potmodels remove entry"


@pytest.mark.parametrize("key", sorted(GOOD))
def test_each_key_is_needed(entry: Path, key: str) -> None:
    (entry / MANIFEST).write_text(json.dumps({k: v for k, v in GOOD.items() if k != key}))
    with pytest.raises(DigestMismatchError, match=key):
        manifest.read(entry / MANIFEST)


@pytest.mark.parametrize(
    "wrong",
    [
        {"source": "ftp"},
        {"source": ["huggingface"]},
        {"name": None},
        {"aliases": "google-bert/bert"},
        {"refs": [None]},
        {"revision": 5},
        {"kind": "audio"},
        {"format": "pickle"},
        {"license": {"text": "MIT"}},
        {"gated": "no"},
        {"in_place": 5},
        {"digest": "0" * 64},
        {"files": {}},
        {"files": ["config.json"]},
        {"files": [{}]},
        with_files(listed("a", sha256="A" * 64)),
        with_files(listed("a", sha256="a" * 8)),
        with_files(listed("a", size=-1)),
        with_files(listed("a", size=True)),
        with_files(listed("a", size="2")),
        with_files(listed("a", url=None)),
        with_files(listed("a"), listed("a")),
    ],
)
def test_a_wrong_type_or_value_is_a_mismatch(entry: Path, wrong: dict[str, Any]) -> None:
    (entry / MANIFEST).write_text(json.dumps({**GOOD, **wrong}))
    with pytest.raises(DigestMismatchError, match="no readable manifest"):
        manifest.read(entry / MANIFEST)


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "a/../../x",
        "/etc/hosts",
        "a//b",
        "./x",
        ".",
        "..",
        "",
        "a/",
        "C:x",
        "a\\b",
        "\\\\server\\share",
        "x\x00y",
        "x\ny",
        "model_info.json",
        "Model_Info.json",
    ],
)
def test_a_path_that_is_no_file_of_the_entry_is_a_mismatch(entry: Path, path: str) -> None:
    (entry / MANIFEST).write_text(json.dumps(with_files(listed(path))))
    with pytest.raises(DigestMismatchError, match="is no file of the entry"):
        manifest.read(entry / MANIFEST)


@pytest.mark.parametrize("key", ["sha256", "path"])
def test_a_changed_digest_or_path_is_noticed(entry: Path, key: str) -> None:
    changed = listed("config.json")
    changed[key] = changed[key][:-1] + "0"
    (entry / MANIFEST).write_text(json.dumps({**GOOD, "files": [changed]}))
    with pytest.raises(DigestMismatchError, match="the digest over its files is"):
        manifest.read(entry / MANIFEST)


def test_an_entry_does_not_lead_out_of_the_cache(entry: Path) -> None:
    (entry / MANIFEST).write_text(json.dumps({**GOOD, "in_place": str(entry)}))
    with pytest.raises(DigestMismatchError, match="a folder outside the cache"):
        manifest.read(entry / MANIFEST)


def test_the_record_of_a_model_in_place_says_where(entry: Path, tmp_path: Path) -> None:
    lies = replace(MODEL, path=tmp_path / "theirs", in_place=True)
    manifest.write(lies, entry / "record.json")
    assert manifest.read_record(entry / "record.json") == lies
    manifest.write(MODEL, entry / "record.json")
    with pytest.raises(DigestMismatchError, match="it names no folder"):
        manifest.read_record(entry / "record.json")


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own there")
def test_a_manifest_behind_a_link_is_a_mismatch(entry: Path, tmp_path: Path) -> None:
    manifest.write(MODEL, entry / MANIFEST)
    (tmp_path / "other").symlink_to(entry)
    (tmp_path / "third").mkdir()
    (tmp_path / "third" / MANIFEST).symlink_to(entry / MANIFEST)
    for name in ("other", "third"):
        with pytest.raises(DigestMismatchError, match="symbolic link"):
            manifest.read(tmp_path / name / MANIFEST)


def test_a_folder_in_place_of_a_manifest_is_not_readable(entry: Path) -> None:
    (entry / MANIFEST).mkdir()
    with pytest.raises((DigestMismatchError, StoreError)):
        manifest.read(entry / MANIFEST)


def test_a_file_in_place_of_an_entry_is_a_mismatch(tmp_path: Path) -> None:
    (tmp_path / "entry").write_text("")
    with pytest.raises((DigestMismatchError, FileNotFoundError)):
        manifest.read(tmp_path / "entry" / MANIFEST)


def test_a_manifest_that_may_not_be_read_is_a_store_error(entry: Path) -> None:
    manifest.write(MODEL, entry / MANIFEST)
    (entry / MANIFEST).chmod(0)
    if os.access(entry / MANIFEST, os.R_OK):
        pytest.skip("this user reads what it may not (root, or no POSIX modes)")
    with pytest.raises(StoreError, match="cannot be read"):
        manifest.read(entry / MANIFEST)
