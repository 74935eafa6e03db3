import errno
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from small_disks import small_disk_at

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import StoreError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.store.derived import DerivedStore
from pytest_potmodels.store.layout import Layout

KEY = "0123abcd-aligned-1"
posix_only = pytest.mark.skipif(os.name == "nt", reason="POSIX files")


def admit(bench: Any, write: Callable[[Path], Any], **limits: Any) -> Any:
    return bench.store.admit(KEY, bench.source(), {}, write, **{"timeout": 5, **limits})


def nothing_is_left(bench: Any) -> bool:
    derived: Path = bench.shelf.layout.derived
    return not bench.under_way() and not list(derived.iterdir()) and not bench.quarantined()


class BoomError(Exception):
    pass


@pytest.mark.parametrize("error", [BoomError(), KeyboardInterrupt(), OSError(errno.EACCES, "no")])
def test_what_write_raises_passes_through_and_leaves_nothing(
    bench: Any, error: BaseException
) -> None:
    def write(stage: Path) -> dict[str, Any]:
        (stage / "half").write_bytes(b"half")
        raise error

    with pytest.raises(type(error)) as caught:
        admit(bench, write)
    assert caught.value is error
    assert nothing_is_left(bench)
    assert bench.admit().key == KEY


@posix_only
@pytest.mark.parametrize("what", ["pipe", "file", "folder"])
def test_links_and_pipes_are_refused(bench: Any, what: str) -> None:
    def write(stage: Path) -> dict[str, Any]:
        if what == "pipe":
            os.mkfifo(stage / "odd")
        else:
            (stage / "odd").symlink_to("/etc/hosts" if what == "file" else ".")
        return {}

    with pytest.raises(ValueError, match="odd is no plain file"):
        admit(bench, write)
    assert nothing_is_left(bench)


@posix_only
@pytest.mark.parametrize("name", ["model_info.json", "Model_Info.json", "a\\b", "a:b"])
def test_names_that_no_manifest_may_hold_are_refused(bench: Any, name: str) -> None:
    def write(stage: Path) -> dict[str, Any]:
        (stage / name).write_bytes(b"")
        return {}

    with pytest.raises(ValueError, match="is no file of the entry"):
        admit(bench, write)
    assert nothing_is_left(bench)


@pytest.mark.parametrize("facts", [None, {"a": float("nan")}, {"a": {1, 2}}, {"a": b"bytes"}])
def test_facts_that_are_no_json_are_refused(bench: Any, facts: Any) -> None:
    with pytest.raises((TypeError, ValueError)):
        admit(bench, lambda _stage: facts)
    assert nothing_is_left(bench)


def test_room_is_checked_before_anything_is_written(bench: Any) -> None:
    with pytest.raises(StoreError) as caught:
        bench.admit(room=10**18)
    assert "1,000,000,000,000.0 MB are needed, " in caught.value.message
    assert " MB are free" in caught.value.message
    assert "free some space" in caught.value.remedy
    assert bench.stages == []
    assert nothing_is_left(bench)


@pytest.fixture
def small_disk(shelf: Any) -> Iterator[Path]:
    """The file system of the cache."""
    with small_disk_at(shelf.cache, "1m") as place:
        yield place


def test_a_disk_that_fills_up_is_a_store_error_and_nothing_is_left(
    bench: Any, small_disk: Path
) -> None:
    with pytest.raises(StoreError) as caught:
        bench.admit(files={"weights.bin": bytes(2_000_000)})
    assert f"{small_disk / 'derived'} does not take derived files: No space" in caught.value.message
    assert "free some space" in caught.value.remedy
    assert nothing_is_left(bench)
    assert bench.admit().key == KEY


def test_a_full_cache_is_said_and_not_passed_over_for_the_second_folder(
    bench: Any, small_disk: Path, tmp_path: Path
) -> None:
    with (small_disk / "somebody-else").open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))
    bench.second = tmp_path / "second"
    model = StoredModel(ModelId("package", "p"), tmp_path, "vision", "torchvision", ())
    with pytest.raises(StoreError, match="No space left on device"):
        bench.admit(source=model)
    assert not bench.second.exists()


def test_whatever_does_not_fit_any_more_leaves_no_half_folder(bench: Any, small_disk: Path) -> None:
    """From a disk with no page left to one with room for all: it fails cleanly, or works."""
    bench.source()
    page, outcomes = 4096, []
    for free in range(0, 24, 2):
        hog = small_disk / "somebody-else"
        with hog.open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(bytes(page))
        os.truncate(hog, max(0, hog.stat().st_size - free * page))
        try:
            made = bench.admit()
        except StoreError as error:
            assert error.remedy  # noqa: PT017 - some sizes fail, some do not
            assert bench.store.all() == bench.under_way() == []
            outcomes.append(False)
        else:
            assert bench.store.verify(made) == ()
            bench.store.remove(made)
            outcomes.append(True)
        hog.unlink()
    assert outcomes == sorted(outcomes)
    assert set(outcomes) == {True, False}


def test_two_who_know_nothing_of_each_other_end_with_one_whole_folder(bench: Any) -> None:
    """As where locks do not work: the rename decides, and the slower takes what is there."""
    cache: Path = bench.shelf.cache
    foreign = Layout(root=cache, models=cache / "models", machine=cache / ".other-machine")
    others = DerivedStore(foreign)
    source = bench.source()

    def write(stage: Path) -> dict[str, Any]:
        (stage / "f").write_bytes(b"slow")
        others.admit(KEY, source, {}, lambda _stage: {"by": "the faster"}, timeout=5)
        return {"by": "the slower"}

    made = admit(bench, write)
    assert made.facts == {"by": "the faster"}
    assert bench.store.find(KEY) == made
    assert bench.under_way() == []


def test_what_a_killed_run_left_is_deleted_and_what_is_of_others_is_not(bench: Any) -> None:
    partial = bench.shelf.layout.partial
    for name in (f"derived-{KEY}@old", f"derived-{KEY}-2@old", f"{KEY}@x"):
        (partial / name).mkdir(parents=True)
        (partial / name / "f").write_bytes(b"half")
        (partial / name / "f").chmod(0o444)
    bench.admit()
    assert sorted(path.name for path in bench.under_way()) == [
        f"{KEY}@x",
        f"derived-{KEY}-2@old",
    ]
