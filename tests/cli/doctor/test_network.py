"""What `doctor` says of the network."""

import pytest
from cli.harness import Cli
from standin import Status

from pytest_potmodels.cli.doctor import network
from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.pipeline import open_pipeline
from pytest_potmodels.settings.resolution import resolve


def found(cli: Cli, **environ: str) -> dict[str, Finding]:
    settings = resolve({}, {**cli.environ, **environ}, cli.folder)
    return {each.check: each for each in network.check(open_pipeline(settings))}


def test_hosts_that_take_connections_are_reachable(cli: Cli) -> None:
    said = found(cli)
    answer = f"{cli.site.hub.url} is reachable and answers (HTTP 404)"
    assert said["hub"] == Finding("hub", "ok", answer)
    assert said["downloads"].said == (
        f"{cli.site.downloads.url}, mirror of https://download.pytorch.org is reachable"
    )
    assert len(cli.site.log) == 1  # Elsewhere a connection is enough.


def test_a_closed_port_is_a_failure(cli: Cli) -> None:
    said = found(cli, HF_ENDPOINT="http://127.0.0.1:9")["hub"]
    assert said.status == "fail"
    assert "connection refused" in said.said
    assert "--pot-mirror" in said.remedy


def test_a_network_closed_by_a_setting_is_no_failure(cli: Cli) -> None:
    said = found(cli, HF_HUB_OFFLINE="1")
    assert said["hub"].status == said["downloads"].status == "ok"
    assert "closed by HF_HUB_OFFLINE=1" in said["hub"].said


def test_a_proxy_is_what_must_be_reachable(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", cli.site.cdn.url)
    said = found(cli, HF_ENDPOINT="http://hub.example")["hub"]
    assert said.status == "ok"
    assert f"through the proxy {cli.site.cdn.url[7:]} and answers" in said.said


def test_a_token_is_told_by_where_it_is_from(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    cli.site.add_account("somebody", "hf_secret")
    said = found(cli)["token"]
    assert said.status == "ok"
    assert said.said.startswith("present, from HF_TOKEN; sent to 127.0.0.1:")
    assert said.said.endswith(", for somebody")
    assert "hf_secret" not in said.said


def test_a_token_that_the_hub_refuses_is_a_failure(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    said = found(cli)["token"]
    assert said.status == "fail"
    assert "does not accept it" in said.said
    assert "hf auth login" in said.remedy
    assert "hf_secret" not in said.said


def test_a_token_is_not_sent_to_a_mirror(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    there = "https://hub.example"
    said = found(cli, HF_ENDPOINT=there, POT_MIRRORS=f"{there}={cli.site.hub.url}")
    assert (said["hub"].status, said["token"].status) == ("ok", "ok")
    assert "for" not in said["token"].said.split()
    assert [each.headers.get("authorization") for each in cli.site.log.select("")] == [None]


def test_a_hub_that_breaks_is_a_failure(cli: Cli) -> None:
    cli.site.fault(Status(503), times=None)
    said = found(cli)["hub"]
    assert said.status == "fail"
    assert "503" in said.said


def test_a_token_that_cannot_be_one_is_a_failure(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_sécret")
    said = found(cli)["token"]
    assert said.status == "fail"
    assert "cret" not in said.said.replace("secrets", "")
