import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_potmodels.artifacts import StoredFile
from pytest_potmodels.store import derived_manifest
from pytest_potmodels.store.derived_manifest import DerivedModel, MadeFrom
from pytest_potmodels.store.layout import MANIFEST
from pytest_potmodels.store.plain_json import LARGEST

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip

DERIVED = DerivedModel(
    key="key",
    path=Path("key"),
    files=(StoredFile("weights.bin", 2, "a" * 64),),
    facts={"offset": 64},
    made_from=MadeFrom("huggingface", "org/model", "0" * 40, "d" * 64),
    versions={"torch": "2.13.0"},
)
GOOD = derived_manifest.as_json(DERIVED)


def signed(**changes: Any) -> dict[str, Any]:
    """A manifest with a digest that agrees with what it says."""
    said = {**GOOD, **changes}
    del said["digest"]
    canonical = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return {**said, "digest": hashlib.sha256(canonical.encode()).hexdigest()}


def listed(path: str, **facts: Any) -> dict[str, Any]:
    return {"path": path, "size": 2, "sha256": "a" * 64, "url": "", **facts}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "key"
    made.mkdir()
    return made


@given(
    st.dictionaries(TEXT, VALUES, max_size=3),
    st.dictionaries(TEXT, TEXT, max_size=3),
    st.none() | TEXT,
)
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory,
    facts: dict[str, Any],
    versions: dict[str, str],
    revision: str | None,
) -> None:
    folder = tmp_path_factory.getbasetemp() / "key"
    made_from = replace(DERIVED.made_from, revision=revision)
    made = replace(DERIVED, path=folder, facts=facts, versions=versions, made_from=made_from)
    derived_manifest.write(made, folder / MANIFEST)
    assert derived_manifest.read(folder) == made
    assert derived_manifest.as_read(facts) == facts


def test_a_manifest_that_was_signed_here_is_read(folder: Path) -> None:
    (folder / MANIFEST).write_text(json.dumps(signed()))
    assert derived_manifest.read(folder) == replace(DERIVED, path=folder)


def test_no_manifest_is_told_from_a_bad_one(folder: Path) -> None:
    with pytest.raises(FileNotFoundError):
        derived_manifest.read(folder)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\x00\x01\xff",
        b"null",
        b"[]",
        b"{}",
        b"[" * 200_000,
        b"1" * 10_000,
        b" " * (LARGEST + 1) + b"{}",
        json.dumps(GOOD).encode()[:-20],
        json.dumps(GOOD).replace("64}", "NaN}").encode(),
        json.dumps(signed(schema=2)).encode(),
        json.dumps(signed(key="other")).encode(),
    ],
    ids=range(13),
)
def test_a_damaged_or_foreign_manifest_cannot_be_read(folder: Path, text: bytes) -> None:
    (folder / MANIFEST).write_bytes(text)
    with pytest.raises(ValueError, match=r"\w"):
        derived_manifest.read(folder)


@pytest.mark.parametrize("key", sorted(GOOD))
def test_each_key_is_needed(folder: Path, key: str) -> None:
    said = {name: value for name, value in GOOD.items() if name != key}
    if key != "digest":
        said["digest"] = hashlib.sha256(
            json.dumps(
                {k: v for k, v in said.items() if k != "digest"},
                sort_keys=True,
                separators=(",", ":"),
            ).encode()
        ).hexdigest()
    (folder / MANIFEST).write_text(json.dumps(said))
    with pytest.raises(ValueError, match=f"KeyError: '{key}'"):
        derived_manifest.read(folder)


@pytest.mark.parametrize(
    "wrong",
    [
        {"facts": []},
        {"facts": None},
        {"versions": {"torch": 2}},
        {"versions": ["torch"]},
        {"made_from": None},
        {"made_from": {}},
        {"made_from": {**GOOD["made_from"], "source": "ftp"}},
        {"made_from": {**GOOD["made_from"], "source": []}},
        {"made_from": {**GOOD["made_from"], "name": None}},
        {"made_from": {**GOOD["made_from"], "revision": 1}},
        {"made_from": {**GOOD["made_from"], "digest": 0}},
        {"files": {}},
        {"files": [{}]},
        {"files": [listed("a"), listed("a")]},
        {"files": [listed("a", size=-1)]},
        {"files": [listed("a", size=True)]},
        {"files": [listed("a", sha256="a" * 8)]},
        *({"files": [listed(path)]} for path in ("../x", "/x", "a/../../x", "C:x", "a\\b", "")),
        {"files": [listed("model_info.json")]},
    ],
)
def test_what_is_signed_and_wrong_cannot_be_read(folder: Path, wrong: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps(signed(**wrong)))
    with pytest.raises(ValueError, match=r"TypeError|ValueError|KeyError"):
        derived_manifest.read(folder)


@pytest.mark.parametrize(
    "changed",
    [{"facts": {"offset": 65}}, {"versions": {}}, {"files": [listed("other")]}, {"digest": "0"}],
)
def test_no_part_of_it_changes_unnoticed(folder: Path, changed: dict[str, Any]) -> None:
    (folder / MANIFEST).write_text(json.dumps({**GOOD, **changed}))
    with pytest.raises(ValueError, match="the digest over it is"):
        derived_manifest.read(folder)


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_pipe_in_its_place_is_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / MANIFEST)
    with pytest.raises(ValueError, match="no plain file"):
        derived_manifest.read(folder)


def test_a_derived_folder_says_what_it_is() -> None:
    assert str(DERIVED) == "key (made from huggingface:org/model)"
    assert (DERIVED.size, DERIVED.in_place) == (2, False)
