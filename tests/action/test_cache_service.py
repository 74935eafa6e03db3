"""The stand-in of the cache service, as GitHub's own client meets it."""

import json
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest
from action.cache_service import CacheService
from action.jobs import CACHE_ACTIONS, Job, Result

MAIN = "refs/heads/main"


def job(folder: Path, service: CacheService, *scopes: str, writes: bool = True) -> Job:
    """A job that may use the cache of these branches."""
    runtime = {
        "ACTIONS_RESULTS_URL": service.url,
        "ACTIONS_RUNTIME_TOKEN": service.token(*(scopes or (MAIN,)), writes=writes),
        "ACTIONS_CACHE_SERVICE_V2": "true",
    }
    return Job(folder, actions=CACHE_ACTIONS, runtime=runtime)


def save(key: str, path: str = "models") -> dict[str, Any]:
    return {"uses": "actions/cache/save@v", "with": {"path": path, "key": key}}


def restore(key: str, *others: str, path: str = "models", **more: str) -> dict[str, Any]:
    given = {"path": path, "key": key, "restore-keys": "\n".join(others), **more}
    return {"id": "restore", "uses": "actions/cache/restore@v", "with": given}


def write(text: str) -> dict[str, str]:
    return {"shell": "bash", "run": f"mkdir -p models; echo {text} > models/weights"}


def found(result: Result) -> tuple[str | None, str | None]:
    outputs = result.outputs("restore")
    return outputs.get("cache-matched-key"), outputs.get("cache-hit")


@pytest.mark.slow
def test_an_entry_comes_back_and_cannot_be_changed(tmp_path: Path, service: CacheService) -> None:
    cold = job(tmp_path / "cold", service).run(
        [restore("a-1"), write("first"), save("a-1"), write("second"), save("a-1")]
    )
    assert cold.ok
    assert found(cold) == (None, None)
    assert "another job may be creating this cache" in cold.log
    warm = job(tmp_path / "warm", service)
    result = warm.run([restore("a-1", "a-")])
    assert found(result) == ("a-1", "true")
    assert (warm.workspace / "models/weights").read_text(encoding="utf-8") == "first\n"
    assert service.keys == ["a-1"]


@pytest.mark.slow
def test_a_prefix_finds_the_newest_and_a_lookup_loads_nothing(
    tmp_path: Path, service: CacheService
) -> None:
    job(tmp_path / "cold", service).run([write("x"), save("a-1"), save("a-2"), save("b-1")])
    later = job(tmp_path / "later", service)
    assert found(later.run([restore("a-3", "a-", **{"lookup-only": "true"})])) == ("a-2", "false")
    assert not (later.workspace / "models").exists()
    assert found(later.run([restore("a-", **{"lookup-only": "true"})])) == ("a-2", "false")
    assert found(later.run([restore("a-1", path="other")])) == (None, None)


@pytest.mark.slow
def test_branches_read_the_default_branch_and_not_each_other(
    tmp_path: Path, service: CacheService
) -> None:
    job(tmp_path / "main", service).run([write("x"), save("a-1")])
    job(tmp_path / "one", service, "refs/pull/1/merge", MAIN).run([write("y"), save("a-2")])
    other = job(tmp_path / "two", service, "refs/pull/2/merge", MAIN).run([restore("z", "a-")])
    assert found(other) == ("a-1", "false")
    assert [entry.scope for entry in service.entries] == [MAIN, "refs/pull/1/merge"]


@pytest.mark.slow
def test_a_read_only_token_reads_and_does_not_write(tmp_path: Path, service: CacheService) -> None:
    job(tmp_path / "main", service).run([write("x"), save("a-1")])
    result = job(tmp_path / "pull", service, writes=False).run([restore("a-1"), save("a-2")])
    assert result.ok
    assert found(result) == ("a-1", "true")
    assert any("cache write denied" in said for said in result.said("warning"))
    assert service.keys == ["a-1"]


@pytest.mark.slow
def test_a_truncated_entry_is_a_miss_that_leaves_files(
    tmp_path: Path, service: CacheService
) -> None:
    """What makes the Action verify after a miss as well."""
    big = {
        "shell": "bash",
        "run": "mkdir models; head -c 3000000 /dev/urandom > models/weights",
    }
    job(tmp_path / "main", service).run([big, save("a-1")])
    (entry,) = service.entries
    entry.data = entry.data[: len(entry.data) // 2]
    later = job(tmp_path / "later", service)
    result = later.run([restore("a-1")])
    assert result.ok
    assert found(result) == (None, None)
    assert 0 < (later.workspace / "models/weights").stat().st_size < 3_000_000


def test_a_large_archive_comes_in_blocks() -> None:
    """GitHub's client does so above 128 MiB; here with three bytes."""
    with CacheService() as service:
        bearer = service.token(MAIN)
        asked = {"key": "a", "version": "1", "size_bytes": "3"}
        url = service.answer("CreateCacheEntry", asked, bearer)["signed_upload_url"]
        for name, data in (("MQ==", b"ab"), ("Mg==", b"c")):
            put(f"{url}&comp=block&blockid={name}", data)
        assert service.keys == []
        names = b"<BlockList><Latest>MQ==</Latest><Latest>Mg==</Latest></BlockList>"
        put(f"{url}&comp=blocklist", names)
        assert service.answer("FinalizeCacheEntryUpload", asked, bearer)["ok"]
        said = service.answer("GetCacheEntryDownloadURL", asked, bearer)
        with urlopen(said["signed_download_url"]) as reply:
            assert reply.read() == b"abc"
        assert json.dumps(said)


def put(url: str, data: bytes) -> None:
    with urlopen(Request(url, data=data, method="PUT")) as reply:
        assert reply.status == 201
