"""The stand-in, seen through the client that must believe it: huggingface_hub."""

import hashlib
import os
import subprocess
import sys
import urllib.request
from functools import partial
from pathlib import Path

import httpx2
import pytest
from huggingface_hub import HfApi, hf_hub_download, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from standin import Blob, Repo, StandIn

WEIGHTS = bytes(range(256)) * 1000
ID, ALIAS = "google-bert/bert-base-uncased", "bert-base-uncased"
KEY, OTHER = "hf_t", "hf_other"


@pytest.fixture
def repo(site: StandIn) -> Repo:
    small = {f"small{number}.json": b"{%d}" % number for number in range(5)}
    files = {"config.json": b"{}", "model.safetensors": WEIGHTS, **small}
    return site.add_repo(ID, files, aliases=(ALIAS,), tags={"v1": {"config.json": b"[]"}})


def download(
    site: StandIn,
    folder: Path,
    file: str,
    *,
    repo_id: str = ID,
    revision: str | None = None,
    token: str | bool = False,
) -> bytes:
    fetch = partial(hf_hub_download, endpoint=site.hub.url, cache_dir=folder)
    return Path(fetch(repo_id, file, revision=revision, token=token)).read_bytes()


def steps(site: StandIn) -> list[str]:
    return [f"{request.server} {request.method} {request.status}" for request in site.log]


def test_a_cold_lfs_file_costs_a_redirect_and_a_body(
    site: StandIn, repo: Repo, tmp_path: Path
) -> None:
    assert download(site, tmp_path, "model.safetensors") == WEIGHTS
    assert steps(site) == ["hub HEAD 302", "cdn GET 200"]
    assert site.log.gets("model.safetensors") == 1
    assert site.log.bytes_sent() == len(WEIGHTS)


def test_a_cold_small_file_goes_through_the_resolve_cache(
    site: StandIn, repo: Repo, tmp_path: Path
) -> None:
    assert download(site, tmp_path, "config.json") == b"{}"
    assert steps(site) == ["hub HEAD 307", "hub HEAD 200", "hub GET 200"]


def test_an_id_without_organisation_costs_one_redirect_more(
    site: StandIn, repo: Repo, tmp_path: Path
) -> None:
    download(site, tmp_path, "model.safetensors", repo_id=ALIAS)
    assert steps(site) == ["hub HEAD 307", "hub HEAD 302", "cdn GET 200"]


def test_a_warm_branch_asks_once_and_a_warm_commit_never(
    site: StandIn, repo: Repo, tmp_path: Path
) -> None:
    download(site, tmp_path, "model.safetensors")
    site.log.clear()
    download(site, tmp_path, "model.safetensors")
    assert steps(site) == ["hub HEAD 302"]
    download(site, tmp_path, "model.safetensors", revision=repo.sha)
    assert len(site.log) == 1


def test_a_snapshot_of_seven_files_costs_22_requests(
    site: StandIn, repo: Repo, tmp_path: Path
) -> None:
    folder = Path(snapshot_download(ID, endpoint=site.hub.url, cache_dir=tmp_path))
    assert len(site.log) == 22, site.log.lines()
    assert len(list(folder.iterdir())) == 7


def test_model_info_carries_the_digests_of_each_file(site: StandIn, repo: Repo) -> None:
    info = HfApi(endpoint=site.hub.url).model_info(ALIAS, files_metadata=True)
    files = {file.rfilename: file for file in info.siblings or ()}
    assert (info.id, info.sha) == (ID, repo.sha)
    assert info.card_data is not None
    assert info.card_data.license == "apache-2.0"
    weights, config = files["model.safetensors"], files["config.json"]
    assert weights.lfs is not None
    assert weights.lfs.sha256 == hashlib.sha256(WEIGHTS).hexdigest()
    assert weights.size == weights.lfs.size == len(WEIGHTS)
    assert config.lfs is None
    assert config.blob_id == "9e26dfeeb6e641a33dae4961196235bdb965b21b"  # git hash-object of "{}"


def test_a_tree_lists_folders_and_files(site: StandIn) -> None:
    site.add_repo("a/b", {"1_Pooling/config.json": b"{}", "2/x.json": b"1"})
    api = HfApi(endpoint=site.hub.url)
    paths = [entry.path for entry in api.list_repo_tree("a/b", recursive=True)]
    assert paths == ["1_Pooling", "2", "1_Pooling/config.json", "2/x.json"]


def test_tags_stay_and_branches_move(site: StandIn, repo: Repo, tmp_path: Path) -> None:
    before = repo.sha
    assert download(site, tmp_path, "config.json", revision="v1") == b"[]"
    repo.commit({"config.json": b"{moved}"})
    assert repo.sha != before
    assert download(site, tmp_path, "config.json") == b"{moved}"
    assert download(site, tmp_path, "config.json", revision=before) == b"{}"
    repo.commit({"config.json": b"{branch}"}, branch="refs/pr/1")
    assert download(site, tmp_path, "config.json", revision="refs/pr/1") == b"{branch}"


def test_what_is_not_there_is_named(site: StandIn, repo: Repo, tmp_path: Path) -> None:
    with pytest.raises(RemoteEntryNotFoundError):
        download(site, tmp_path, "missing.json")
    with pytest.raises(RevisionNotFoundError):
        download(site, tmp_path, "config.json", revision="nowhere")
    api = HfApi(endpoint=site.hub.url)
    with pytest.raises(RevisionNotFoundError):
        api.model_info(ID, revision="nowhere")
    with pytest.raises(RepositoryNotFoundError) as anonymous:
        api.model_info("no/such", token=False)
    with pytest.raises(RepositoryNotFoundError) as known:
        api.model_info("no/such", token=OTHER)
    assert anonymous.value.response.status_code == 401
    assert known.value.response.status_code == 404


def test_a_private_repository_opens_to_its_token_only(site: StandIn, tmp_path: Path) -> None:
    site.add_repo("a/private", {"x.safetensors": b"1", "x.json": b"2"}, private=True, token=KEY)
    api = HfApi(endpoint=site.hub.url)
    for token in (False, OTHER):
        with pytest.raises(RepositoryNotFoundError):
            api.model_info("a/private", token=token)
    assert api.model_info("a/private", token=KEY).private
    site.log.clear()
    assert download(site, tmp_path, "x.json", repo_id="a/private", token=KEY) == b"2"
    assert steps(site) == ["hub HEAD 200", "hub GET 200"]
    assert download(site, tmp_path, "x.safetensors", repo_id="a/private", token=KEY) == b"1"
    assert site.log.authorizations("hub") == ["Bearer hf_t"] * 3
    assert site.log.authorizations("cdn") == []


def test_a_gated_repository_shows_its_metadata_and_keeps_its_files(site: StandIn) -> None:
    site.add_repo("a/gated", {"x.json": b"2"}, gated=True, token=KEY)
    api = HfApi(endpoint=site.hub.url)
    assert api.model_info("a/gated", token=False).gated == "manual"
    url = f"{site.hub.url}/a/gated/resolve/main/x.json"
    for token, status in ((False, 401), (OTHER, 403)):
        with pytest.raises(GatedRepoError) as refused:
            api.get_hf_file_metadata(url=url, token=token)
        assert refused.value.response.status_code == status
    assert api.get_hf_file_metadata(url=url, token=KEY).size == 1


def test_a_revoked_token_is_refused_even_for_public_files(site: StandIn, repo: Repo) -> None:
    site.revoke(KEY)
    with pytest.raises(HfHubHTTPError, match="401"):
        HfApi(endpoint=site.hub.url).model_info(ID, token=KEY)


def test_a_client_that_forwards_its_token_is_caught(site: StandIn, repo: Repo) -> None:
    url = f"{site.hub.url}/{ID}/resolve/main/model.safetensors"
    request = urllib.request.Request(url, headers={"Authorization": "Bearer hf_t"})
    with urllib.request.urlopen(request) as reply:
        assert reply.read() == WEIGHTS
    assert site.log.authorizations("cdn") == ["Bearer hf_t"]


def test_a_cdn_link_without_its_signature_is_denied(site: StandIn, repo: Repo) -> None:
    link = httpx2.head(f"{site.hub.url}/{ID}/resolve/main/model.safetensors").headers["location"]
    assert httpx2.get(link).content == WEIGHTS
    assert httpx2.get(link.partition("?")[0]).status_code == 403


@pytest.mark.parametrize(
    ("asked", "status", "content_range", "body"),
    [
        ("bytes=3-5", 206, "bytes 3-5/10", b"345"),
        ("bytes=7-", 206, "bytes 7-9/10", b"789"),
        ("bytes=8-99", 206, "bytes 8-9/10", b"89"),
        ("bytes=-4", 206, "bytes 6-9/10", b"6789"),
        ("bytes=10-", 416, "bytes */10", b""),
        ("bytes=-", 200, None, b"0123456789"),
        ("lines=1-2", 200, None, b"0123456789"),
    ],
)
def test_ranges_follow_the_rules(
    site: StandIn, asked: str, status: int, content_range: str | None, body: bytes
) -> None:
    url = site.add_download("/models/digits.pth", b"0123456789")
    reply = httpx2.get(url, headers={"Range": asked})
    assert reply.status_code == status
    assert reply.headers.get("content-range") == content_range
    assert reply.content == body


def test_a_range_of_a_changed_file_is_answered_in_full(site: StandIn) -> None:
    url = site.add_download("/x", b"0123456789")
    etag = httpx2.head(url).headers["etag"]
    asked = {"Range": "bytes=5-", "If-Range": etag}
    assert httpx2.get(url, headers=asked).status_code == 206
    site.add_download("/x", b"abcdefghij")
    assert httpx2.get(url, headers=asked).content == b"abcdefghij"


def test_downloads_are_served_and_others_denied(site: StandIn) -> None:
    url = site.add_download("/models/resnet18-f37072fd.pth", b"weights")
    head = httpx2.head(url)
    assert (head.headers["content-length"], head.content) == ("7", b"")
    assert httpx2.get(url).content == b"weights"
    assert httpx2.get(url + "x").status_code == 403


def test_an_lfs_file_is_what_git_lfs_would_take(site: StandIn) -> None:
    assert Blob.of("pytorch_model.bin", b"1").is_lfs
    assert Blob.of("resnet.pth", b"1").is_lfs
    assert Blob.of("vocab.txt", b"1" * 1_000_001).is_lfs
    assert not Blob.of("tokenizer.json", b"1" * 1_000_000).is_lfs


def test_several_processes_share_one_download(site: StandIn, repo: Repo, tmp_path: Path) -> None:
    code = f"from huggingface_hub import hf_hub_download as d; d({ID!r}, 'model.safetensors')"
    environ = {**os.environ, **site.environ(), "HF_HOME": str(tmp_path)}
    command = [sys.executable, "-c", code]
    children = [subprocess.Popen(command, env=environ) for _ in range(3)]
    assert [child.wait(timeout=60) for child in children] == [0, 0, 0]
    assert site.log.gets("model.safetensors") == 1
    assert len(site.log.select("model.safetensors", server="hub", method="HEAD")) == 3
