"""A model comes from the remote where that has it, whole and right; else from its source."""

import json
import logging
import socket
from dataclasses import replace
from typing import Any

import pytest
from machine import PYTORCH, request
from s3 import both_remotes, forget_clients, offline_environ, require_s3
from store.remote.conftest import FILES, NAME, WEIGHTS, Bench, is_right

from pytest_potmodels.errors import (
    DigestMismatchError,
    ModelTooLargeError,
    StoreError,
    UnavailableError,
)


@both_remotes
def test_what_the_remote_has_costs_no_request_to_the_hub(pushed: Bench) -> None:
    stored = pushed.empty.acquire(NAME)
    assert is_right(stored)
    assert stored.fresh
    assert pushed.requests() == 0
    assert pushed.empty.store.verify(stored, whole=True) == ()


def test_it_is_the_same_model_that_the_hub_would_give(pushed: Bench) -> None:
    there = pushed.full.store.entries()[0]
    stored = pushed.empty.acquire(NAME)
    assert replace(stored, path=there.path) == there
    assert stored.path.name == there.path.name


def test_a_commit_is_found_like_the_branch(pushed: Bench) -> None:
    stored = pushed.empty.acquire(f"{NAME}@{pushed.repo.sha}")
    assert stored.revision == pushed.repo.sha
    assert pushed.requests() == 0


def test_an_old_name_is_found_once_it_was_used(bench: Bench) -> None:
    bench.full.acquire("huggingface:old-model")
    bench.push(bench.full.acquire(NAME))
    bench.site.log.clear()
    old = bench.empty.acquire("huggingface:old-model")
    new = bench.empty.acquire(NAME)
    assert old.path == new.path
    assert bench.requests() == 0


def test_what_the_remote_does_not_have_comes_from_the_hub(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    assert is_right(bench.empty.acquire(NAME))
    assert bench.requests() > 0
    assert "nothing was pushed to this remote yet" in caplog.text


def test_another_branch_of_a_model_comes_from_the_hub(
    folder: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    folder.repo.tag("v2", folder.repo.commit({**FILES, "config.json": b"{}"}))
    stored = folder.empty.acquire(f"{NAME}@v2")
    assert (stored.path / "config.json").read_bytes() == b"{}"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_force_asks_the_hub_first(folder: Bench) -> None:
    newer = folder.repo.commit({**FILES, "config.json": b"{}"})
    assert folder.empty.acquire(NAME).revision != newer
    assert folder.empty.acquire(NAME, again=True).revision == newer


@pytest.mark.parametrize("bytes_", ["other", "fewer", "none", "more"])
def test_a_wrong_object_is_refused_and_named_and_the_hub_gives_the_bytes(
    pushed: Bench, bytes_: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = pushed.weights()
    good = pushed.inside.read(name)
    bad = {"other": b"x" + good[1:], "fewer": good[:-1], "none": b"", "more": b"x" + good}
    pushed.inside.write(name, bad[bytes_])
    stored = pushed.empty.acquire(NAME)
    assert is_right(stored)
    assert f"{name} in the remote" in caplog.text
    assert "is not what its name says" in caplog.text
    # What was right is not fetched a second time.
    assert pushed.site.log.gets("config.json") == 0


def test_an_object_with_more_bytes_than_it_should_have_is_cut_where_they_are_right(
    folder: Bench,
) -> None:
    name = folder.weights()
    folder.inside.write(name, folder.inside.read(name) + b"more")
    assert is_right(folder.empty.acquire(NAME))


def test_a_missing_object_comes_from_the_hub(
    pushed: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    name = pushed.weights()
    pushed.inside.delete(name)
    stored = pushed.empty.acquire(NAME)
    assert is_right(stored)
    assert f"has no {name}" in caplog.text


def test_the_hub_is_asked_for_the_revision_that_the_remote_named(folder: Bench) -> None:
    there = folder.repo.sha
    folder.repo.commit({**FILES, "config.json": b"{}"})
    folder.inside.delete(folder.weights())
    stored = folder.empty.acquire(NAME)
    assert stored.revision == there
    assert "" in stored.refs
    assert folder.empty.acquire(NAME).path == stored.path


def test_wrong_bytes_and_no_hub_are_a_mismatch_and_no_absence(folder: Bench) -> None:
    name = folder.weights()
    folder.inside.write(name, b"x" * len(folder.inside.read(name)))
    folder.hub_is_gone()
    with pytest.raises(DigestMismatchError, match="is not what its name says") as caught:
        folder.empty.acquire(NAME)
    assert "push --verify" in caught.value.remedy
    assert folder.empty.visible() == []


def test_a_missing_object_and_no_hub_are_an_absence(folder: Bench) -> None:
    folder.inside.delete(folder.weights())
    folder.hub_is_gone()
    with pytest.raises(UnavailableError):
        folder.empty.acquire(NAME)


@both_remotes
def test_without_a_hub_the_remote_is_enough(pushed: Bench) -> None:
    pushed.hub_is_gone()
    assert is_right(pushed.empty.acquire(NAME))


def test_a_server_that_is_silent_leaves_time_for_the_hub(
    shared: Bench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    require_s3()
    with socket.create_server(("127.0.0.1", 0), backlog=50) as server:
        for name, value in offline_environ().items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", f"http://127.0.0.1:{server.getsockname()[1]}")
        forget_clients()
        silent = shared.with_options(remote="s3://bucket/models", timeout=6.0)
        assert is_right(silent.acquire(NAME))
    assert "s3://bucket/models failed at reading refs/" in caplog.text
    assert "Going on without it" in caplog.text


def test_a_closed_network_asks_no_remote(folder: Bench) -> None:
    with pytest.raises(UnavailableError, match="--pot-offline"):
        folder.with_options(closed_by="--pot-offline").acquire(NAME)


def test_a_network_that_closed_meanwhile_asks_no_remote(folder: Bench) -> None:
    pipeline = folder.empty.pipeline()
    pipeline.transfer.close_network("--pot-network=warm")
    with pytest.raises(UnavailableError, match="--pot-network=warm"):
        pipeline.acquire(request(NAME))


def test_a_model_beyond_the_limit_is_refused_before_a_byte_moves(folder: Bench) -> None:
    with pytest.raises(ModelTooLargeError, match="--pot-max-size"):
        folder.with_options(max_bytes=1000).acquire(NAME)
    assert not list(folder.empty.cache.rglob("*.part"))
    assert folder.requests() == 0


def test_a_model_beyond_the_disk_is_refused_before_a_byte_moves(folder: Bench) -> None:
    _rewrite(folder, size=10**18)
    with pytest.raises(StoreError, match="are needed"):
        folder.empty.acquire(NAME)


def test_a_damaged_file_is_mended_by_the_hub_or_the_remote(folder: Bench) -> None:
    stored = folder.empty.acquire(NAME)
    file = stored.path / WEIGHTS
    file.chmod(0o644)
    file.write_bytes(b"x")
    folder.hub_is_gone()
    assert is_right(folder.empty.acquire(NAME))


def test_torchvision_weights_come_from_the_remote(shared: Bench) -> None:
    url = f"{PYTORCH}/mine.pth"
    shared.site.add_download("/mine.pth", b"weights" * 100)
    wish = request("torchvision:resnet18@weights-mine", weights=url, kind="vision")
    shared.push(shared.full.pipeline().acquire(wish))
    shared.requests()
    stored = shared.empty.pipeline().acquire(wish)
    assert (stored.path / "mine.pth").read_bytes() == b"weights" * 100
    assert (stored.architecture, stored.format) == ("resnet18", "torchvision")
    assert shared.requests() == 0


def test_a_file_by_url_comes_from_the_remote_if_it_is_what_was_promised(shared: Bench) -> None:
    url = shared.site.add_download("/own.safetensors", b"weights" * 100)
    wish = request(f"url:{url}")
    stored = shared.full.pipeline().acquire(wish)
    shared.push(stored)
    shared.requests()
    assert shared.empty.pipeline().acquire(wish).digest == stored.digest
    assert shared.requests() == 0


def test_a_file_by_url_with_another_promise_comes_from_its_own_host(shared: Bench) -> None:
    url = shared.site.add_download("/own.safetensors", b"weights" * 100)
    shared.push(shared.full.pipeline().acquire(request(f"url:{url}")))
    shared.requests()
    with pytest.raises(DigestMismatchError):
        shared.empty.pipeline().acquire(replace(request(f"url:{url}"), sha256="0" * 64))
    assert shared.requests() > 0


def test_killed_half_way_the_rest_is_pulled(folder: Bench) -> None:
    big = {**FILES, WEIGHTS: bytes(range(256)) * 150_000}
    repo = folder.site.add_repo("org/big", big)
    folder.push(folder.full.acquire("huggingface:org/big"))
    folder.requests()
    with folder.empty.start("huggingface:org/big", dies_at=(9, ["open"])) as child:
        assert child.wait(60) < 0
    stored = folder.empty.acquire("huggingface:org/big")
    assert stored.revision == repo.sha
    assert (stored.path / WEIGHTS).read_bytes() == big[WEIGHTS]
    assert folder.requests() == 0


def test_several_processes_bring_it_once(folder: Bench) -> None:
    ended = folder.empty.all_at_once([NAME] * 3)
    assert sorted(each["fresh"] for each in ended) == [False, False, True]
    assert folder.requests() == 0


def _rewrite(bench: Bench, **facts: Any) -> None:
    """Change what the manifest says of each file, and what follows from it."""
    (name,) = bench.inside.documents("manifests")
    data = json.loads(bench.inside.read(name))
    for file in data["files"]:
        file.update(facts)
    bench.inside.write(name, json.dumps(data).encode())
