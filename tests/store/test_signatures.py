import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.store import signatures

MARK = (5, 10, 20, 30)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f"
    path.write_bytes(b"content")
    time.sleep(0.05)
    return path


def test_an_untouched_file_keeps_its_signature(file: Path) -> None:
    mark = signatures.signature(file)
    file.read_bytes()
    os.utime(file.parent)
    assert signatures.signature(file) == mark


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"CONTENT"),
        lambda path: path.write_bytes(b"contents"),
        lambda path: path.touch(),
        lambda path: path.chmod(0o600),
    ],
    ids=["same size", "another size", "touched", "mode"],
)
def test_every_change_changes_the_signature(file: Path, change: Any) -> None:
    mark = signatures.signature(file)
    change(file)
    assert signatures.signature(file) != mark


def test_a_forged_modification_time_does_not_hide_a_change(file: Path) -> None:
    before = file.stat()
    mark = signatures.signature(file)
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert file.stat().st_size == before.st_size
    assert signatures.signature(file) != mark


def test_another_file_in_its_place_has_another_signature(file: Path) -> None:
    before = file.stat()
    mark = signatures.signature(file)
    other = file.with_name("other")
    other.write_bytes(b"CONTENT")
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.replace(file)
    assert signatures.signature(file) != mark


def test_a_signature_counts_only_once_its_tick_is_over(file: Path) -> None:
    file.write_bytes(b"CONTENT")
    fresh = signatures.signature(file)
    assert not signatures.is_settled(fresh, at_ns=fresh[2] + 1_000_000)
    assert signatures.is_settled(fresh, at_ns=fresh[2] + 50_000_000)


def test_records_are_read_as_written(tmp_path: Path) -> None:
    record = tmp_path / "state" / "entry.json"
    signatures.write(record, {"a": MARK, "b/c": (2**63, 1, 2, 3)})
    assert signatures.read(record) == {"a": MARK, "b/c": (2**63, 1, 2, 3)}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[1]",
        "null",
        '{"a": [1, 2, 3]}',
        '{"a": null}',
        '{"a": ["x", 1, 2, 3]}',
        "[" * 99999,
    ],
)
def test_an_unreadable_record_vouches_for_nothing(tmp_path: Path, text: str) -> None:
    record = tmp_path / "entry.json"
    record.write_text(text)
    assert signatures.read(record) == {}


def test_where_nothing_can_be_kept_nothing_is_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    signatures.write(tmp_path / "file" / "entry.json", {"a": MARK})
    assert signatures.read(tmp_path / "file" / "entry.json") == {}


def test_an_admitted_model_has_signatures_that_count(shelf: Any) -> None:
    stored = shelf.admit("hf:org/model")
    marks = signatures.read(shelf.layout.signatures(stored.path.name))
    assert marks == signatures.of(stored)
    assert set(marks) == {"config.json", "model.safetensors"}
    assert json.loads(shelf.layout.signatures(stored.path.name).read_text())
