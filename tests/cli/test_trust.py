"""Models whose code must be trusted, on the command line."""

import pytest
from cli.harness import Cli
from hub_repos import NAME, TRUST, tiny_files, weights
from standin import GitRepo

FOLDER = "pytorch_hub_acme--nets--tiny"


@pytest.fixture
def repo(cli: Cli) -> GitRepo:
    name, data = weights()
    cli.site.add_download(f"/models/{name}", data)
    repo = cli.site.add_git_repo("acme/nets", tiny_files(name))
    cli.environ |= cli.site.environ()
    return repo


def test_a_download_without_trust_says_what_would_run_and_how_to_allow_it(
    cli: Cli, repo: GitRepo
) -> None:
    said = cli.fails("download", NAME, code=3)
    assert f"https://github.com/acme/nets at commit {repo.sha}" in said
    assert f"--trust {TRUST}" in said
    (row,) = cli.json("download", NAME, code=3)
    assert row["reason"] == "not-trusted"
    assert not cli.entry(FOLDER).exists()


def test_trust_is_given_for_one_command(cli: Cli, repo: GitRepo) -> None:
    (row,) = cli.json("warm", NAME, "--trust", "pytorch_hub:a/b", "--trust", TRUST)
    assert (row["status"], row["source"], row["revision"]) == ("fetched", "pytorch_hub", repo.sha)
    cli.site.log.clear()
    (row,) = cli.json("download", "pytorch_hub:acme/nets/tiny")
    assert row["status"] == "there"
    assert len(cli.site.log) == 0
    cli.run("verify", NAME)
    (cli.entry(FOLDER) / "model_info.json").unlink()
    assert FOLDER in cli.run("list", code=None).output
    cli.run("remove", FOLDER)
    assert not cli.entry(FOLDER).exists()


def test_a_misspelt_trust_is_a_usage_error(cli: Cli) -> None:
    said = cli.fails("download", NAME, "--trust", "acme/nets", code=2)
    assert "write pytorch_hub:acme/nets." in said


def test_trust_is_among_the_settings(cli: Cli) -> None:
    cli.configure(f'trust = ["{TRUST}"]\n')
    (row,) = (each for each in cli.json("config") if each["name"] == "trust")
    assert row["value"] == [TRUST]
    assert "potmodels.toml:1" in row["origin"]
    assert TRUST in cli.run("config").stdout
