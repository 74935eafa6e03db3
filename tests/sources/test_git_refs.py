"""git's list of refs: of a real git, and of a server that stands in for GitHub."""

import logging
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from machine import Machine
from standin import Dropped, GitRepo, RedirectTo, StandIn, Status, Truncated

from pytest_potmodels.errors import Reason, UnavailableError
from pytest_potmodels.sources.git_refs import commit_of, read_refs
from pytest_potmodels.transfer import Deadline

NETS = "https://github.com/acme/nets"
Ask = Callable[..., str]


@pytest.fixture
def repo(site: StandIn) -> GitRepo:
    return site.add_git_repo("acme/nets", {"hubconf.py": b"first"})


@pytest.fixture
def ask(site: StandIn, repo: GitRepo, tmp_path: Path) -> Ask:
    def commit(ref: str | None = None, repository: str = NETS) -> str:
        transfer = Machine(site, tmp_path).pipeline().transfer
        return commit_of(repository, ref, transfer, Deadline(20))[0]

    return commit


def git(folder: Path, *words: str) -> str:
    whose = [f"{who}_{what}" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
    names = {f"GIT_{each}": "x" for each in whose}
    names |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", *words], cwd=folder, env={**os.environ, **names}, capture_output=True, check=True
    )
    return done.stdout.decode().strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_a_real_git_is_understood(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "-b", "trunk")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "one")
    git(tmp_path, "tag", "-a", "v1", "-m", "a tag of its own")
    git(tmp_path, "tag", "light")
    first = git(tmp_path, "rev-parse", "HEAD")
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", "two")
    environ = {
        **os.environ,
        "GIT_PROJECT_ROOT": str(tmp_path),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": "/.git/info/refs",
        "QUERY_STRING": "service=git-upload-pack",
        "REQUEST_METHOD": "GET",
    }
    said = subprocess.run(["git", "http-backend"], env=environ, capture_output=True, check=True)
    refs = read_refs(said.stdout.partition(b"\r\n\r\n")[2], whole=True)
    assert refs["HEAD"] == refs["refs/heads/trunk"] == git(tmp_path, "rev-parse", "HEAD")
    assert refs["refs/tags/light"] == refs["refs/tags/v1^{}"] == first
    assert refs["refs/tags/v1"] == git(tmp_path, "rev-parse", "v1")


def test_no_ref_is_the_default_branch_in_one_request(
    ask: Ask, site: StandIn, repo: GitRepo
) -> None:
    repo.commit({"hubconf.py": b"other"}, branch="other")
    assert ask() == ask("HEAD") == repo.sha
    assert (
        site.log.lines() == ["github GET 200 /acme/nets.git/info/refs?service=git-upload-pack"] * 2
    )


def test_the_default_branch_is_read_off_the_beginning(
    ask: Ask, site: StandIn, repo: GitRepo
) -> None:
    for number in range(20_000):
        repo.content.refs[f"refs/pull/{number}/head"] = repo.sha
    site.fault(Truncated(at=500_000), server="github", times=None)
    assert ask() == repo.sha
    assert len(site.log) == 1


def test_branches_and_tags_are_their_commits(ask: Ask, repo: GitRepo) -> None:
    first = repo.sha
    repo.tag("light", first)
    repo.tag("v1", first, annotated=True)
    second = repo.commit({"hubconf.py": b"second"})
    third = repo.commit({"hubconf.py": b"third"}, branch="feature/x")
    names = ("light", "v1", "refs/tags/v1", "main", "refs/heads/main", "feature/x")
    assert [ask(name) for name in names] == [first, first, first, second, second, third]


def test_of_a_branch_and_a_tag_of_one_name_the_branch_is_taken_and_that_is_said(
    ask: Ask, repo: GitRepo, caplog: pytest.LogCaptureFixture
) -> None:
    repo.tag("v1", repo.sha)
    branch = repo.commit({"hubconf.py": b"branch"}, branch="v1")
    with caplog.at_level(logging.WARNING):
        assert ask("v1") == branch
    assert "v1 is a branch and a tag" in caplog.text


def test_pull_requests_are_strangers_code(ask: Ask, repo: GitRepo) -> None:
    repo.content.refs["refs/pull/7/head"] = repo.sha
    for name in ("refs/pull/7/head", "pull/7/head"):
        with pytest.raises(UnavailableError) as caught:
            ask(name)
        assert caught.value.reason is Reason.UNKNOWN_REVISION


def test_an_unknown_ref_has_close_matches(ask: Ask, repo: GitRepo) -> None:
    repo.tag("v0.10.0", repo.sha, annotated=True)
    with pytest.raises(UnavailableError, match=r"no 'v0\.10'\. Did you mean v0\.10\.0\?") as caught:
        ask("v0.10")
    assert caught.value.reason is Reason.UNKNOWN_REVISION
    with pytest.raises(UnavailableError):
        ask(repo.sha[:8])  # A short commit is no ref.


def test_a_repository_that_is_not_shown_is_private_or_missing(ask: Ask, site: StandIn) -> None:
    with pytest.raises(UnavailableError, match="no such repository, or it is private") as caught:
        ask(None, "https://github.com/acme/absent")
    assert caught.value.reason is Reason.PRIVATE
    assert len(site.log) == 1


def test_a_renamed_repository_is_followed(ask: Ask, site: StandIn, repo: GitRepo) -> None:
    site.github_content.renamed["acme/old"] = "acme/nets"
    assert ask(None, "https://github.com/acme/old") == repo.sha


@pytest.mark.parametrize(
    "fault",
    [
        Status(503),
        pytest.param(Status(429), marks=pytest.mark.slow),
        pytest.param(Dropped(), marks=pytest.mark.slow),
        pytest.param(Truncated(at=70), marks=pytest.mark.slow),
    ],
)
def test_a_fault_is_outlasted(ask: Ask, site: StandIn, repo: GitRepo, fault: Status) -> None:
    site.fault(fault, server="github")
    assert ask("main") == repo.sha
    assert len(site.log) == 2


def test_a_token_is_never_sent(ask: Ask, site: StandIn) -> None:
    site.fault(RedirectTo(site.downloads.url), server="github")
    with pytest.raises(UnavailableError):
        ask()
    assert site.log.authorizations() == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>log in</html>",
        b"001e# service=git-upload-pack\n0000",
        b"001e# service=git-upload-pack\n0000003c",
        b"001e# service=git-upload-pack\n00000003",
        b"001e# service=git-upload-pack\n0000zzzz",
        b"-01e# service=git-upload-pack\n00000000",
        b"001f# service=git-receive-pack\n00000000",
    ],
    ids=str,
)
def test_what_is_no_list_of_refs_is_an_error(body: bytes) -> None:
    with pytest.raises(ValueError, match="list of refs"):
        read_refs(body, whole=True)


def test_a_login_page_in_place_of_git_is_said_so(ask: Ask, site: StandIn) -> None:
    url = site.add_download("/login", b"<html>log in</html>")
    site.fault(RedirectTo(url), server="github")
    with pytest.raises(UnavailableError, match="does not speak as a git server") as caught:
        ask()
    assert caught.value.reason is Reason.SERVER


def test_an_empty_repository_has_no_default_branch(
    ask: Ask, repo: GitRepo, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = f"{'0' * 40} capabilities^{{}}\0agent=git"
    line = f"{len(nothing) + 5:04x}{nothing}\n".encode()
    body = b"001e# service=git-upload-pack\n0000" + line + b"0000"
    monkeypatch.setattr(GitRepo, "advertisement", lambda _: body)
    with pytest.raises(UnavailableError, match="has no default branch with a commit"):
        ask()
