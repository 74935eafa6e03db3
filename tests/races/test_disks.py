"""A cache on a disk that is full or read-only: clear errors, and nothing half-written."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from machine import Machine, outcome, request, until
from standin import Stalled

from pytest_potmodels.errors import DigestMismatchError, Reason, StoreError, UnavailableError
from pytest_potmodels.fallback import STORE, obtain

PAGE = 4096


def mount(*how: str) -> None:
    """Mount, or skip the test where this user may not."""
    try:
        subprocess.run(["mount", *how], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount here")


@pytest.fixture
def disk(bench: Any) -> Iterator[Path]:
    """The file system of the cache, of one megabyte."""
    bench.machine.cache.mkdir()
    mount("-t", "tmpfs", "-o", "size=1m", "none", str(bench.machine.cache))
    yield bench.machine.cache
    subprocess.run(["umount", "-l", str(bench.machine.cache)], check=True)


def resize(disk: Path, pages: int) -> None:
    mount("-o", f"remount,size={pages * PAGE}", str(disk))


def fill(disk: Path) -> None:
    """Take what is left, as another program may at any time."""
    with (disk / "somebody-else").open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(PAGE))


def close(disk: Path) -> None:
    mount("-o", "remount,ro", str(disk))


def everything(folder: Path) -> dict[str, tuple[int, ...]]:
    """What a write to a tree, of whatever kind, would change; reading times do not count."""
    found: dict[str, tuple[int, ...]] = {}
    for path in (folder, *folder.rglob("*")):
        facts = path.lstat()
        found[str(path)] = (
            facts.st_mode,
            facts.st_ino,
            facts.st_size,
            facts.st_mtime_ns,
            facts.st_ctime_ns,
        )
    return found


def test_a_disk_that_is_too_small_is_said_before_a_weight_moves(bench: Any, disk: Path) -> None:
    resize(disk, 50)
    with pytest.raises(StoreError) as caught:
        bench.machine.acquire(bench.name)
    assert "are needed" in caught.value.message
    assert str(disk) in caught.value.message
    assert bench.site.log.bytes_sent(bench.weights) == 0
    assert bench.machine.visible() == []


def test_a_disk_that_fills_up_midway_leaves_no_entry(bench: Any, disk: Path) -> None:
    bench.site.fault(Stalled(at=200_000, seconds=1), bench.weights, server="cdn")
    with bench.machine.start(bench.name) as child:
        until(lambda: bench.site.log.bytes_sent(bench.weights) >= 200_000, child)
        fill(disk)
        found = outcome(child)
    assert found["error"] == "StoreError"
    assert "disk is full" in found["message"]
    assert bench.machine.visible() == []
    (disk / "somebody-else").unlink()
    assert bench.is_right(bench.machine.acquire(bench.name))


def test_whatever_does_not_fit_any_more_leaves_no_entry(bench: Any, disk: Path) -> None:
    for pages in range(1, 200):
        try:
            resize(disk, pages)
        except pytest.skip.Exception:
            continue  # What is there takes more already.
        try:
            stored = bench.machine.acquire(bench.name, retries=0)
        except StoreError as error:
            assert error.remedy  # noqa: PT017 - some sizes fail, some do not
            assert bench.machine.store.entries() == []
            assert bench.machine.store.damaged_entries() == []
        else:
            break
    assert bench.is_right(stored)
    assert pages > 400_000 // PAGE


def test_a_full_disk_may_be_answered_with_an_announced_mock(bench: Any, disk: Path) -> None:
    resize(disk, 50)
    got = obtain(bench.machine.pipeline(), request(bench.name), mock="missing")
    assert (got.model.is_mock, got.substitute) == (True, STORE)


@pytest.mark.parametrize("signed", [True, False])
def test_a_read_only_cache_that_is_warm_works_and_is_not_touched(
    bench: Any,
    disk: Path,
    signed: bool,  # noqa: FBT001
) -> None:
    bench.machine.acquire(bench.name)
    if not signed:
        shutil.rmtree(disk / ".pot")
    close(disk)
    before = everything(disk)
    bench.site.log.clear()
    for name in (bench.name, f"{bench.name}@main", f"{bench.name}@{bench.repo.sha}"):
        stored = bench.machine.acquire(name)
        assert bench.is_right(stored)
        assert not stored.fresh
    assert bench.machine.store.verify(stored, whole=True) == ()
    assert everything(disk) == before
    assert bench.site.log.lines() == []


def test_a_read_only_cache_that_is_cold_says_so(bench: Any, disk: Path) -> None:
    close(disk)
    with pytest.raises(StoreError) as caught:
        bench.machine.acquire(bench.name)
    assert f"{disk} cannot be written: Read-only file system" in caught.value.message
    assert "--pot-cache-dir" in caught.value.remedy
    assert bench.site.log.lines() == []


def test_a_read_only_cache_without_a_network_lacks_the_model(bench: Any, disk: Path) -> None:
    close(disk)
    with pytest.raises(UnavailableError) as caught:
        bench.machine.acquire(bench.name, closed_by="--pot-offline")
    assert caught.value.reason is Reason.NOT_CACHED


@pytest.mark.parametrize("path", ["model.safetensors", "model_info.json"])
def test_wrong_bytes_on_a_read_only_disk_are_an_error_and_never_a_mock(
    bench: Any, disk: Path, path: str
) -> None:
    bench.machine.acquire(bench.name)
    bench.flip(path=path)
    close(disk)
    pipeline = bench.machine.pipeline()
    for _ in range(2):
        with pytest.raises(DigestMismatchError, match="Read-only file system"):
            obtain(pipeline, request(bench.name), mock="missing")


def test_wrong_bytes_on_a_full_disk_are_an_error_and_never_a_mock(bench: Any, disk: Path) -> None:
    bench.machine.acquire(bench.name)
    bench.flip()
    fill(disk)
    with pytest.raises(DigestMismatchError, match="could not be fetched again"):
        obtain(bench.machine.pipeline(), request(bench.name), mock="missing")
    (disk / "somebody-else").unlink()
    assert bench.is_right(bench.machine.acquire(bench.name))


def test_a_cache_in_a_place_that_is_a_file_is_said_so(site: Any, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("not a folder")
    site.add_repo("org/model", {"config.json": b"{}", "model.safetensors": b"w"})
    with pytest.raises(StoreError, match="cannot be written"):
        Machine(site, tmp_path / "cache").acquire("huggingface:org/model")
