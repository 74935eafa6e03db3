"""A cache that somebody or something changed: found, put aside, fetched again, or an error."""

import json
import shutil
import time
from dataclasses import replace
from typing import Any

import pytest
from machine import outcome, request
from standin import FlippedByte, Status

from pytest_potmodels.errors import DigestMismatchError, PotModelsError
from pytest_potmodels.fallback import obtain

MANIFEST = "model_info.json"
CLOSED = {"closed_by": "--pot-offline"}


def never_a_mock(bench: Any, **options: Any) -> DigestMismatchError:
    """Ask for the model under the policy that allows mocks most; it must not yield one."""
    pipeline = bench.machine.pipeline(**options)
    with pytest.raises(DigestMismatchError) as caught:
        obtain(pipeline, request(bench.name), mock="missing")
    assert caught.value.exit_code == 4
    return caught.value


def rewrite(bench: Any, **changes: Any) -> None:
    """Change keys of the manifest."""
    path = bench.entry / MANIFEST
    data = {**json.loads(path.read_text()), **changes}
    path.chmod(0o644)
    path.write_text(json.dumps(data))


@pytest.fixture
def warm(bench: Any) -> Any:
    bench.machine.acquire(bench.name)
    bench.site.log.clear()
    return bench


@pytest.mark.parametrize("forged", [False, True])
def test_a_flipped_byte_is_found_by_the_next_who_asks(
    warm: Any,
    caplog: pytest.LogCaptureFixture,
    forged: bool,  # noqa: FBT001
) -> None:
    bad = warm.flip(forged=forged)
    stored = warm.machine.acquire(warm.name)
    assert warm.is_right(stored)
    assert stored.fresh
    assert [path.read_bytes() for path in warm.machine.quarantine()] == [bad]
    assert warm.site.log.gets(warm.weights) == 1
    assert warm.site.log.gets("config.json") == 0
    assert [r.message for r in caplog.records if r.levelname == "WARNING"]
    warm.site.log.clear()
    assert not warm.machine.acquire(warm.name).fresh
    assert warm.site.log.lines() == []


@pytest.mark.parametrize("forged", [False, True])
def test_a_flipped_byte_without_a_network_is_an_error_every_time(
    warm: Any,
    forged: bool,  # noqa: FBT001
) -> None:
    warm.flip(forged=forged)
    for _ in range(3):
        error = never_a_mock(warm, **CLOSED)
        assert "--pot-offline" in error.message
        assert str(warm.entry / warm.weights) in error.message
        assert error.remedy == f"potmodels download --force {warm.name}"
    assert warm.site.log.lines() == []
    assert warm.is_right(warm.machine.acquire(warm.name))


@pytest.mark.parametrize("code", [500, 403])
def test_a_flipped_byte_with_a_server_that_refuses_is_an_error(warm: Any, code: int) -> None:
    warm.flip()
    warm.site.fault(Status(code), times=None)
    error = never_a_mock(warm, retries=0)
    assert "It could not be fetched again" in error.message
    warm.site.heal()
    assert warm.is_right(warm.machine.acquire(warm.name))


def test_a_flipped_byte_with_a_server_that_flips_it_too_is_an_error(warm: Any) -> None:
    warm.flip()
    warm.site.fault(FlippedByte(at=1), warm.weights, times=None)
    never_a_mock(warm)
    warm.site.heal()
    assert warm.is_right(warm.machine.acquire(warm.name))


def test_too_little_room_for_it_is_no_excuse_for_wrong_bytes(warm: Any) -> None:
    warm.flip()
    assert "--pot-max-size" in never_a_mock(warm, max_bytes=1000).message


def test_a_lock_that_is_held_is_no_excuse_for_wrong_bytes(warm: Any) -> None:
    warm.flip()
    wish = request(warm.name)
    with warm.machine.store.locked(wish.id, timeout=1):
        assert "held by process" in never_a_mock(warm, timeout=0.3).message


def test_damage_that_comes_while_a_process_waits_is_no_mock_either(
    warm: Any, tmp_path: Any
) -> None:
    warm.flip()
    other = replace(warm.machine, cache=tmp_path / "other")
    wish = request(warm.name)
    warm.site.fault(Status(500), times=None)
    with other.start(warm.name, waits=True, retries=0) as child:
        with other.store.locked(wish.id, timeout=1):
            assert child.stdout.readline() == "ready\n"
            child.stdin.write("go\n")
            child.stdin.flush()
            time.sleep(0.5)
            shutil.copytree(warm.entry, other.cache / "models" / warm.entry.name)
        found = outcome(child)
    assert found["error"] == "DigestMismatchError"


def test_a_file_that_is_gone_is_brought_back(warm: Any) -> None:
    (warm.entry / "config.json").unlink()
    never_a_mock(warm, **CLOSED)
    assert warm.is_right(warm.machine.acquire(warm.name))


def test_a_planted_link_is_replaced_by_the_file(warm: Any, tmp_path: Any) -> None:
    outside = tmp_path / "outside"
    (warm.entry / warm.weights).rename(outside)
    (warm.entry / warm.weights).symlink_to(outside)
    assert "a symbolic link" in never_a_mock(warm, **CLOSED).message
    stored = warm.machine.acquire(warm.name)
    assert warm.is_right(stored)
    assert not (warm.entry / warm.weights).is_symlink()
    assert outside.read_bytes() == warm.files[warm.weights]


BAD_MANIFESTS = {
    "empty": "",
    "torn": '{"schema": 1, "source": "hugg',
    "foreign": '{"name": "x", "version": 2}',
    "of another schema": '{"schema": 999}',
    "no object": "[]",
}


@pytest.mark.parametrize("kind", [*BAD_MANIFESTS, "absent", "a folder"])
def test_a_bad_manifest_is_fetched_again_with_its_model_or_an_error(warm: Any, kind: str) -> None:
    path = warm.entry / MANIFEST
    path.unlink()
    if kind in BAD_MANIFESTS:
        path.write_text(BAD_MANIFESTS[kind])
    elif kind == "a folder":
        path.mkdir()
    for _ in range(2):
        assert "manifest" in never_a_mock(warm, **CLOSED).message
    stored = warm.machine.acquire(warm.name)
    assert warm.is_right(stored)
    assert warm.machine.visible() == [warm.entry.name]
    assert len(warm.machine.quarantine()) >= 2
    warm.site.log.clear()
    assert not warm.machine.acquire(warm.name).fresh
    assert warm.site.log.lines() == []


@pytest.mark.parametrize("path", ["../outside", "/etc/hosts", "..\\outside", "a/../../outside"])
def test_a_manifest_that_climbs_reads_and_writes_nothing_outside(warm: Any, path: str) -> None:
    outside = warm.entry.parent / "outside"
    outside.write_text("mine")
    files = json.loads((warm.entry / MANIFEST).read_text())["files"]
    rewrite(warm, files=[{**files[0], "path": path}])
    never_a_mock(warm, **CLOSED)
    stored = warm.machine.acquire(warm.name)
    assert warm.is_right(stored)
    assert outside.read_text() == "mine"


def test_a_changed_digest_in_the_manifest_is_noticed(warm: Any) -> None:
    files = json.loads((warm.entry / MANIFEST).read_text())["files"]
    rewrite(warm, files=[{**files[0], "sha256": "0" * 64}, *files[1:]])
    never_a_mock(warm, **CLOSED)
    assert warm.is_right(warm.machine.acquire(warm.name))


def test_a_cache_brought_from_another_machine_is_hashed_and_used(warm: Any) -> None:
    shutil.rmtree(warm.machine.cache / ".pot")
    assert not warm.machine.acquire(warm.name, **CLOSED).fresh
    shutil.rmtree(warm.machine.cache / ".pot")
    warm.flip()
    never_a_mock(warm, **CLOSED)


def test_recorded_addresses_that_are_gone_are_resolved_anew(warm: Any) -> None:
    gone, pinned = "http://127.0.0.1:9/gone", warm.repo.sha
    warm.repo.commit({**warm.files, warm.weights: b"the branch has moved"})
    files = json.loads((warm.entry / MANIFEST).read_text())["files"]
    rewrite(warm, files=[{**file, "url": gone} for file in files])
    bad = warm.flip()
    stored = warm.machine.acquire(warm.name, retries=0)
    assert warm.is_right(stored)
    assert stored.revision == pinned
    assert bad in [path.read_bytes() for path in warm.machine.quarantine()]
    assert warm.machine.visible() == [warm.entry.name]


def test_mending_keeps_the_pinned_revision(warm: Any) -> None:
    pinned = warm.repo.sha
    warm.repo.commit({**warm.files, warm.weights: b"the branch has moved"})
    warm.flip()
    stored = warm.machine.acquire(warm.name)
    assert warm.is_right(stored)
    assert stored.revision == pinned


def test_a_damaged_model_is_not_loaded_under_a_name_that_is_new(warm: Any) -> None:
    warm.flip()
    stored = warm.machine.acquire("huggingface:old-name")
    assert warm.is_right(stored)
    assert stored.path == warm.entry


def test_forcing_a_download_mends_what_is_damaged(warm: Any) -> None:
    bad = warm.flip()
    stored = warm.machine.acquire(warm.name, again=True)
    assert warm.is_right(stored)
    assert bad in [path.read_bytes() for path in warm.machine.quarantine()]


def test_forcing_a_download_without_a_network_leaves_what_is_there(warm: Any) -> None:
    with pytest.raises(PotModelsError):
        warm.machine.acquire(warm.name, again=True, **CLOSED)
    stored = warm.machine.acquire(warm.name, **CLOSED)
    assert warm.is_right(stored)


def test_a_large_file_is_not_hashed_where_nothing_changed(
    warm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise AssertionError("hashed")

    monkeypatch.setattr("pytest_potmodels.store.checking.hash_file", fail)
    assert not warm.machine.acquire(warm.name).fresh
    warm.flip()
    with pytest.raises(AssertionError, match="hashed"):
        warm.machine.acquire(warm.name)
