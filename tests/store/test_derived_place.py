"""Where a cache cannot be written, what is made from its models goes elsewhere."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import StoreError

KEY = "0123abcd-aligned-1"
CHILD = str(Path(__file__).with_name("child_derive.py"))


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """Everything about a tree that a write would change."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns, path.lstat().st_ino)
        for path in (folder, *folder.rglob("*"))
    }


def test_a_read_only_cache_is_not_touched_and_the_second_folder_is_used(
    bench: Any, closed: Any, tmp_path: Path
) -> None:
    source = bench.source()
    bench.second = tmp_path / "a" / "second"
    closed()
    before = snapshot(bench.shelf.cache)
    made = bench.admit(n=1)
    assert made.path == bench.second / KEY
    assert bench.admit(n=2) == bench.store.find(KEY) == made
    assert bench.store.of(source) == bench.store.all() == [made]
    assert len(bench.stages) == 1
    assert {path.name for path in (bench.second / ".pot").iterdir()} >= {"locks", "state"}
    assert snapshot(bench.shelf.cache) == before


def test_what_a_read_only_cache_has_already_is_used(
    bench: Any, closed: Any, tmp_path: Path
) -> None:
    made = bench.admit()
    bench.second = tmp_path / "second"
    closed()
    assert bench.store.find(KEY) == bench.admit() == made
    assert made.path.is_relative_to(bench.shelf.cache)
    assert len(bench.stages) == 1


def test_what_is_damaged_in_a_read_only_cache_is_made_in_the_second_folder(
    bench: Any, closed: Any, tmp_path: Path, flip_byte: Any, caplog: pytest.LogCaptureFixture
) -> None:
    first = bench.admit()
    flip_byte(first.path / "weights.bin")
    bench.second = tmp_path / "second"
    closed()
    assert bench.store.find(KEY) is None
    assert "it stays there" in caplog.text
    assert "Read-only file system" in caplog.text
    made = bench.admit()
    assert made.path == bench.second / KEY
    assert bench.store.find(KEY) == made
    (bad,) = bench.store.verify(first)
    assert bad.file.path == "weights.bin"


def test_what_is_damaged_in_the_second_folder_goes_to_its_own_quarantine(
    bench: Any, closed: Any, tmp_path: Path, flip_byte: Any
) -> None:
    bench.source()
    bench.second = tmp_path / "second"
    closed()
    made = bench.admit()
    flip_byte(made.path / "weights.bin")
    assert bench.store.find(KEY) is None
    (aside,) = bench.store.leftovers()
    assert aside.parent == bench.second / ".pot" / "quarantine"
    bench.store.discard(aside)
    assert bench.store.leftovers() == []
    bench.store.remove(bench.admit())
    assert [path.name for path in bench.second.iterdir() if path.is_dir()] == [".pot"]


def test_where_neither_can_be_written_both_are_named(
    bench: Any, closed: Any, tmp_path: Path
) -> None:
    bench.source()
    bench.second = tmp_path / "file" / "second"
    (tmp_path / "file").write_text("")
    closed()
    with pytest.raises(StoreError) as caught:
        bench.admit()
    said = caught.value.message
    assert f"{bench.shelf.cache / 'derived'} (Read-only file system)" in said
    assert f"{bench.second} (Not a directory)" in said
    assert "POT_DERIVED_DIR" in caught.value.remedy
    assert bench.stages == []


def test_without_a_second_folder_the_cache_is_named(bench: Any, closed: Any) -> None:
    bench.source()
    closed()
    with pytest.raises(StoreError, match=r"huggingface:org/model cannot be stored in .*derived"):
        bench.admit()


def test_a_cache_that_takes_files_goes_first_and_both_are_looked_into(
    bench: Any, tmp_path: Path
) -> None:
    bench.second = tmp_path / "second"
    made = bench.admit()
    assert made.path == bench.shelf.layout.derived / KEY
    assert not bench.second.exists()
    shutil.copytree(bench.shelf.layout.derived, bench.second)
    bench.store.remove(made)
    there = bench.store.find(KEY)
    assert there.path == bench.second / KEY
    assert bench.admit() == there
    assert len(bench.stages) == 1


def test_a_second_folder_that_is_the_caches_own_is_counted_once(bench: Any) -> None:
    bench.second = bench.shelf.layout.derived
    made = bench.admit()
    assert bench.store.all() == [made]


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, which those of pytest are not."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    (folder / "own").mkdir()
    (folder / "own").chmod(0o777)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root becomes another user")
@pytest.mark.parametrize("closed_part", ["derived", ".pot/locks", ".pot/partial", ""])
def test_a_cache_of_another_user_is_read_and_not_written(public: Path, closed_part: str) -> None:
    cache = public / "cache"
    for part in ("", "derived", "models", ".pot", ".pot/locks", ".pot/partial", ".pot/state"):
        (cache / part).mkdir(parents=True, exist_ok=True)
        (cache / part).chmod(0o755 if closed_part in ("", part) else 0o777)
    order = {"cache": str(cache), "second": str(public / "own" / "second"), "user": 65534}
    done = subprocess.run(
        [sys.executable, CHILD, json.dumps(order)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["path"] == str(public / "own" / "second" / KEY)
    assert list((cache / "derived").iterdir()) == []
