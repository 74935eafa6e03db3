"""Resolving against the stand-in hub, through the real client and the real transfer."""

import hashlib
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelInfo
from standin import Dropped, Hang, RedirectTo, Repo, StandIn, Status, models

from pytest_potmodels.artifacts import ModelRequest, ResolvedModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.sources import SourceContext, open_source
from pytest_potmodels.sources.huggingface import _license
from pytest_potmodels.transfer import Deadline, Transfer, TransferPolicy

ID, ALIAS = "google-bert/bert-base-uncased", "bert-base-uncased"
KEY = "hf_right"
WEIGHTS = b"weights" * 1000
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": WEIGHTS,
    "tokenizer.json": b"{}",
    "1_Pooling/config.json": b"[]",
}


@pytest.fixture
def repo(site: StandIn) -> Repo:
    return site.add_repo(ID, {**FILES, **models.DECOYS}, aliases=(ALIAS,), tags={"v1": FILES})


def transfer(site: StandIn, token: str | None = None, **policy: Any) -> Transfer:
    limits = TransferPolicy(hub_endpoint=site.hub.url, retries=1, **policy)
    return Transfer(limits, token=lambda: token)


def resolve(
    site: StandIn,
    name: str = ID,
    revision: str | None = None,
    *,
    using: Transfer | None = None,
    endpoint: str = "",
    seconds: float = 30,
) -> ResolvedModel:
    model_id = ModelId("huggingface", name, revision)
    context = SourceContext(using or transfer(site), endpoint or site.hub.url)
    request = ModelRequest(model_id, str(model_id), "language")
    return open_source("huggingface", context).resolve(model_id, request, Deadline(seconds))


def refused(site: StandIn, *args: Any, **options: Any) -> UnavailableError:
    with pytest.raises(UnavailableError) as caught:
        resolve(site, *args, **options)
    assert caught.value.remedy
    return caught.value


def test_one_request_names_commit_files_sizes_and_digests(site: StandIn, repo: Repo) -> None:
    resolved = resolve(site)
    assert site.log.lines() == [f"hub GET 200 /api/models/{ID}?blobs=true"]
    assert (resolved.revision, resolved.license, resolved.gated) == (repo.sha, "apache-2.0", False)
    assert (resolved.format, resolved.kind, resolved.aliases) == ("transformers", "language", ())
    assert {str(file.path) for file in resolved.files} == set(FILES)
    assert {file.size for file in resolved.files} == {len(data) for data in FILES.values()}
    digests = {str(file.path): str(file.digests[0]) for file in resolved.files}
    assert digests["model.safetensors"] == f"sha256:{hashlib.sha256(WEIGHTS).hexdigest()}"
    # git hash-object of "{}"
    assert digests["tokenizer.json"] == "git-sha1:9e26dfeeb6e641a33dae4961196235bdb965b21b"


def test_what_is_named_is_what_transfer_brings(site: StandIn, repo: Repo, tmp_path: Path) -> None:
    using = transfer(site)
    resolved = resolve(site, ALIAS, using=using)
    site.log.clear()
    using.fetch_all(resolved.files, tmp_path, Deadline(30))
    for file in resolved.files:
        assert (tmp_path / file.path).read_bytes() == FILES[str(file.path)]
        assert hash_file(tmp_path / file.path, file.digests).mismatches() == []
    # By commit and by the id with organisation: no branch, no redirect of the id.
    asked = site.log.select("/resolve/", server="hub")
    assert {each.path.partition("/resolve/")[0] for each in asked} == {f"/{ID}"}
    assert all(repo.sha in each.path for each in asked)


def test_an_old_name_learns_the_new_one(site: StandIn, repo: Repo) -> None:
    resolved = resolve(site, ALIAS)
    assert resolved.id.name == ALIAS
    assert resolved.aliases == (ID,)
    assert resolved.origin == f"{site.hub.url}/{ID}"


def test_tags_and_commits_are_pinned_and_main_moves(site: StandIn, repo: Repo) -> None:
    tagged, first = repo.refs["v1"], repo.sha
    repo.commit({"config.json": b"{}", "pytorch_model.bin": b"new"})
    assert resolve(site, revision="v1").revision == tagged
    assert resolve(site, revision=first).revision == first
    assert resolve(site).revision == repo.sha != first
    site.log.clear()
    assert resolve(site, revision=first).files == resolve(site, revision=first).files
    assert len(site.log) == 2


@pytest.mark.parametrize(
    ("form", "weights"),
    [
        ("safetensors", {"model.safetensors"}),
        ("bin", {"pytorch_model.bin"}),
        (
            "safetensors-shards",
            {
                "model.safetensors.index.json",
                "model-00001-of-00002.safetensors",
                "model-00002-of-00002.safetensors",
            },
        ),
    ],
)
def test_a_real_repository_is_taken_without_its_decoys(
    site: StandIn, form: models.Form, weights: set[str]
) -> None:
    files = models.tiny_bert(form)
    site.add_repo("a/tiny", {**files, **models.DECOYS})
    resolved = resolve(site, "a/tiny")
    assert {str(file.path) for file in resolved.files} == set(files)
    assert weights < set(files)
    assert resolved.size == sum(map(len, files.values()))


def test_a_name_that_is_not_there_is_private_or_missing_to_strangers(site: StandIn) -> None:
    error = refused(site, "no/such")
    assert error.reason is Reason.PRIVATE
    assert "huggingface:no/such" in error.message
    assert "(401)" in error.message
    assert "HF_TOKEN" in error.remedy


def test_a_name_that_is_not_there_is_unknown_to_somebody_with_a_token(site: StandIn) -> None:
    error = refused(site, "no/such", using=transfer(site, KEY))
    assert error.reason is Reason.UNKNOWN_MODEL
    assert not error.substitutable


def test_a_private_repository_opens_to_its_token(site: StandIn) -> None:
    site.add_repo("a/private", FILES, private=True, token=KEY)
    assert refused(site, "a/private").reason is Reason.PRIVATE
    assert resolve(site, "a/private", using=transfer(site, KEY)).files
    assert site.log.authorizations("hub") == [f"Bearer {KEY}"]


def test_an_unknown_revision_is_named(site: StandIn, repo: Repo) -> None:
    error = refused(site, revision="v99")
    assert error.reason is Reason.UNKNOWN_REVISION
    assert "'v99'" in error.message


def test_a_gated_repository_is_marked_and_its_refusal_says_what_to_do(site: StandIn) -> None:
    site.add_repo("a/gated", FILES, gated=True, token=KEY)
    assert resolve(site, "a/gated").gated
    # Some hubs keep the metadata, too.
    site.fault(Status(403, headers={"X-Error-Code": "GatedRepo"}))
    error = refused(site, "a/gated")
    assert error.reason is Reason.GATED
    assert f"ask for access at {site.hub.url}/a/gated" in error.remedy


def test_a_disabled_repository_says_so(site: StandIn, repo: Repo) -> None:
    said = {"X-Error-Message": "Access to this resource is disabled."}
    site.fault(Status(403, headers=said))
    assert refused(site).reason is Reason.DISABLED


def test_a_token_that_is_refused_is_named_as_the_cause(site: StandIn, repo: Repo) -> None:
    site.revoke(KEY)
    error = refused(site, using=transfer(site, KEY))
    assert error.reason is Reason.PRIVATE
    assert "refuses this token" in error.message
    assert KEY not in str(error)


def test_a_request_that_the_hub_finds_bad_is_its_error(site: StandIn, repo: Repo) -> None:
    site.fault(Status(400, headers={"X-Error-Message": "Bad thing"}), times=None)
    error = refused(site)
    assert error.reason is Reason.SERVER
    assert "Bad thing" in error.message


@pytest.mark.parametrize("kind", [Status(503), Status(429, retry_after="0"), Dropped()])
def test_a_passing_fault_is_outlasted(site: StandIn, repo: Repo, kind: Any) -> None:
    site.fault(kind)
    assert resolve(site).revision == repo.sha
    assert len(site.log) == 2


def test_a_hub_that_never_answers_ends_with_the_deadline(site: StandIn, repo: Repo) -> None:
    site.fault(Hang(), times=None)
    assert refused(site, seconds=1.5).reason is Reason.TIMEOUT


def test_a_closed_network_asks_nothing(site: StandIn, repo: Repo) -> None:
    error = refused(site, using=transfer(site, blocked="--pot-offline"))
    assert error.reason is Reason.OFFLINE
    assert len(site.log) == 0


def test_a_mirror_is_asked_and_gets_no_token(site: StandIn, repo: Repo) -> None:
    rules = (("https://huggingface.co", site.hub.url),)
    limits = TransferPolicy(mirrors=rules)
    using = Transfer(limits, token=lambda: KEY)
    resolved = resolve(site, using=using, endpoint="https://huggingface.co")
    assert site.log.authorizations() == []
    # The names stay those of the hub; transfer rewrites each URL again.
    assert {file.url.partition(ID)[0] for file in resolved.files} == {"https://huggingface.co/"}


def test_a_saved_token_is_not_picked_up_behind_transfers_back(
    site: StandIn, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", KEY)
    resolve(site, using=transfer(site, token=None))
    assert site.log.authorizations() == []


@pytest.mark.parametrize(
    "body", [b"<html>Please log in</html>", b"[]", b'{"sha": "1"}', b'{"id": "a/b"}']
)
def test_an_answer_that_is_not_a_hubs_is_recognised(site: StandIn, repo: Repo, body: bytes) -> None:
    site.fault(RedirectTo(site.add_download("/login", body)))
    error = refused(site)
    assert error.reason is Reason.SERVER
    assert "HF_ENDPOINT" in error.remedy


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b'{"id": "../../x", "sha": "%s", "siblings": []}' % (b"a" * 40), "about '../../x'"),
        (b'{"id": "a/b", "sha": "%s", "siblings": []}' % (b"b" * 40), "with commit bbbb"),
        (b'{"id": "a/b", "sha": "main", "siblings": []}', "no commit but 'main'"),
    ],
)
def test_an_answer_about_something_else_is_refused(site: StandIn, answer: bytes, why: str) -> None:
    site.fault(RedirectTo(site.add_download("/api", answer)))
    error = refused(site, "a/b", "a" * 40)
    assert error.reason is Reason.SERVER
    assert why in error.message


def test_a_repository_without_weights_says_what_it_has(site: StandIn) -> None:
    repo = site.add_repo("a/gguf", {"config.json": b"{}", "model.gguf": b"1"})
    error = refused(site, "a/gguf")
    assert error.reason is Reason.NOT_LOADABLE
    assert f"huggingface:a/gguf at {repo.sha[:8]} has no weights" in error.message
    assert "GGUF" in error.message


def test_a_name_that_the_client_refuses_is_a_usage_error(site: StandIn) -> None:
    with pytest.raises(UsageError, match="a--b"):
        resolve(site, "org/a--b")


@pytest.mark.parametrize(
    ("card", "tags", "expected"),
    [
        ({"license": "mit"}, ["license:apache-2.0"], "mit"),
        ({}, ["transformers", "license:apache-2.0"], "apache-2.0"),
        (None, ["license:gemma"], "gemma"),
        ({"license": ["mit", "cc-by-4.0"]}, [], "mit, cc-by-4.0"),
        ({"license": "other", "license_name": "llama3"}, [], "llama3"),
        ({"license": "other"}, [], "other"),
        (None, None, "unknown"),
    ],
)
def test_the_licence_is_the_cards_else_the_tags(card: Any, tags: Any, expected: str) -> None:
    build: Any = ModelInfo
    assert _license(build(id="a/b", cardData=card, tags=tags)) == expected
