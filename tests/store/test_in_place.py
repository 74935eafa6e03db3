import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_potmodels.errors import Reason, UnavailableError

FILES = {"config.json": b"{}", "model.safetensors": b"weights" * 1000}


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    folder = tmp_path / "theirs"
    folder.mkdir()
    for name, data in FILES.items():
        (folder / name).write_bytes(data)
    time.sleep(0.05)
    return folder


@pytest.fixture
def take(shelf: Any, theirs: Path, resolved: Any) -> Callable[..., Any]:
    def taken(names: Any = None, **facts: Any) -> Any:
        names = names or [path.name for path in theirs.iterdir()]
        known = {"revision": None, "in_place": theirs, **facts}
        model = resolved("package:theirs", dict.fromkeys(names, b""), **known)
        return shelf.store.take_in_place(model, theirs)

    return taken


def snapshot(folder: Path) -> dict[str, tuple[int, ...]]:
    """Everything about a tree that a write would change."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ctime_ns, path.stat().st_ino)
        for path in (folder, *folder.rglob("*"))
    }


def test_the_files_stay_where_they_lie_and_as_they_are(shelf: Any, theirs: Path, take: Any) -> None:
    before = snapshot(theirs)
    stored = take()
    assert stored.path == theirs
    assert stored.in_place
    assert [file.path for file in stored.files] == sorted(FILES)
    assert shelf.damaged(stored, whole=True) == {}
    assert snapshot(theirs) == before
    assert shelf.folders() == []


def test_unchanged_files_are_found_without_a_write(shelf: Any, take: Any) -> None:
    first = take()
    before = snapshot(shelf.cache)
    assert take() == first
    assert snapshot(shelf.cache) == before


def test_unchanged_files_are_not_hashed_again(
    shelf: Any, theirs: Path, take: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = take()

    def fail(*_: Any) -> Any:
        raise AssertionError("hashed")

    monkeypatch.setattr("pytest_potmodels.store.in_place.hash_file", fail)
    assert take() == first
    (theirs / "config.json").touch()
    with pytest.raises(AssertionError, match="hashed"):
        take()


@pytest.mark.parametrize("change", ["changed", "added", "removed", "forged"])
def test_a_change_is_a_new_version_and_is_reported_once(
    theirs: Path, take: Any, caplog: pytest.LogCaptureFixture, change: str
) -> None:
    first = take()
    weights = theirs / "model.safetensors"
    before = weights.stat()
    if change in ("changed", "forged"):
        weights.write_bytes(b"WEIGHTS" * 1000)
    if change == "forged":
        os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    if change == "added":
        (theirs / "vocab.txt").write_bytes(b"a")
    if change == "removed":
        (theirs / "config.json").unlink()
    second = take()
    assert second.digest != first.digest
    assert take() == second
    said = [record.message for record in caplog.records if record.levelname == "WARNING"]
    assert said == [f"package:theirs changed on disk: digest {first.digest} is now {second.digest}"]


def test_a_touch_is_no_change(theirs: Path, take: Any, caplog: pytest.LogCaptureFixture) -> None:
    first = take()
    (theirs / "config.json").touch()
    assert take() == first
    assert caplog.records == []


def test_a_change_right_after_the_look_is_noticed(theirs: Path, take: Any) -> None:
    for number in range(10):
        (theirs / "config.json").write_bytes(b"%02d" % number)
        first = take()
        (theirs / "config.json").write_bytes(b"xx")
        assert take().digest != first.digest


def test_a_file_that_changed_a_moment_ago_is_not_vouched_for_yet(
    shelf: Any, theirs: Path, take: Any
) -> None:
    for _ in range(50):  # a busy machine may be away for longer than a tick
        (theirs / "config.json").touch()
        take()
        (marks,) = (shelf.cache / ".pot/state").iterdir()
        if set(json.loads(marks.read_text())) == {"model.safetensors"}:
            break
    else:
        pytest.fail("a fresh signature was trusted each time")


def test_new_facts_about_old_files_are_taken_over(
    shelf: Any, take: Any, caplog: pytest.LogCaptureFixture
) -> None:
    take(revision="1.0", license="unknown")
    stored = take(revision="1.1", license="mit")
    assert (stored.revision, stored.license) == ("1.1", "mit")
    assert (shelf.find("package:theirs").revision, caplog.records) == ("1.1", [])


@pytest.mark.parametrize("text", ["", "{", "[]", "{}"])
def test_a_damaged_record_is_made_anew(shelf: Any, take: Any, text: str) -> None:
    first = take()
    (record,) = (shelf.cache / ".pot/in_place").iterdir()
    record.chmod(0o644)
    record.write_text(text)
    assert take() == first
    assert shelf.store.leftovers() == []


def test_a_record_of_another_folder_says_nothing(shelf: Any, take: Any, theirs: Path) -> None:
    first = take()
    (record,) = (shelf.cache / ".pot/in_place").iterdir()
    record.chmod(0o644)
    record.write_text(record.read_text().replace(str(theirs), "/elsewhere"))
    (theirs / "config.json").write_bytes(b"xx")
    assert take().path == theirs
    assert take().digest != first.digest


def test_forgetting_leaves_the_files(shelf: Any, take: Any, theirs: Path) -> None:
    stored = take()
    assert shelf.store.entries() == [stored]
    shelf.store.remove(stored)
    assert shelf.store.entries() == []
    assert {path.name for path in theirs.iterdir()} == set(FILES)


@pytest.mark.skipif(os.name == "nt", reason="links take a right of their own there")
def test_links_in_a_folder_that_is_not_ours_are_followed(
    theirs: Path, take: Any, tmp_path: Path, shelf: Any
) -> None:
    (theirs / "model.safetensors").rename(tmp_path / "blob")
    (theirs / "model.safetensors").symlink_to(tmp_path / "blob")
    first = take()
    assert shelf.damaged(first, whole=True) == {}
    (tmp_path / "blob").write_bytes(b"other")
    assert take().digest != first.digest


def test_a_file_that_cannot_be_read_is_not_loadable(theirs: Path, take: Any) -> None:
    with pytest.raises(UnavailableError) as caught:
        take(["config.json", "absent.bin"])
    assert caught.value.reason is Reason.NOT_LOADABLE
    assert "absent.bin cannot be read: No such file" in caught.value.message


def test_without_a_cache_to_write_to_the_model_is_used_all_the_same(
    shelf: Any, take: Any, theirs: Path
) -> None:
    shelf.cache.write_text("a file where the cache should be")
    first = take()
    assert first.path == theirs
    assert take() == first
