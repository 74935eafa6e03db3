import os
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.store.leases import let_go

NAME = "huggingface:org/model"


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """Everything about a tree that a write would change."""
    return {
        str(path): (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns, path.lstat().st_ino)
        for path in (folder, *folder.rglob("*"))
    }


def test_a_read_only_cache_that_is_warm_works_and_is_not_touched(shelf: Any, closed: Any) -> None:
    stored = shelf.admit(NAME)
    closed()
    before = snapshot(shelf.cache)
    assert shelf.find(NAME) == stored
    assert shelf.damaged(stored) == {}
    assert shelf.damaged(stored, whole=True) == {}
    assert shelf.store.entries() == [stored]
    assert snapshot(shelf.cache) == before


def test_a_read_only_cache_says_so_when_it_is_to_be_written(shelf: Any, closed: Any) -> None:
    stored = shelf.admit(NAME)
    closed()
    for write in (shelf.mend, shelf.store.remove):
        with pytest.raises(StoreError, match="Read-only file system"):
            write(stored)
    with pytest.raises(StoreError, match="Read-only file system"):
        shelf.admit("huggingface:org/other")
    assert shelf.damaged(stored, whole=True) == {}


def test_a_model_in_place_is_used_with_a_read_only_cache(
    shelf: Any, closed: Any, resolved: Any, tmp_path: Path
) -> None:
    shelf.layout.prepare()
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "f").write_bytes(b"w")
    closed()
    model = resolved("package:theirs", {"f": b"w"}, revision=None)
    before = snapshot(shelf.cache)
    assert shelf.store.take_in_place(model, tmp_path / "theirs").size == 1
    assert snapshot(shelf.cache) == before


def test_a_hit_takes_no_lease_and_is_not_noted(
    shelf: Any, closed: Any, caplog: pytest.LogCaptureFixture
) -> None:
    stored = shelf.admit(NAME)
    let_go()
    used = shelf.layout.used(stored.path.name)
    os.utime(used, (1000, 1000))
    closed()
    assert shelf.store.find_to_use(stored.id) == stored
    assert shelf.store.leases.look() == ()
    assert used.stat().st_mtime == 1000
    assert caplog.records == []
    with pytest.raises(StoreError, match="cannot be written"):
        shelf.store.remove(stored)
