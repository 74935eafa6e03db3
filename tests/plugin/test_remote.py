"""A test session whose models a remote has."""

from pathlib import Path

import pytest
from machine import Machine
from standin import StandIn

from pytest_potmodels.store.remote.pushing import How, Pushing
from pytest_potmodels.transfer import Deadline

NAME = "huggingface:org/model"
TESTS = f"""
import pytest

@pytest.mark.requires_model("{NAME}")
@pytest.mark.parametrize("n", range(4))
def test_it(pot_models, n):
    made = pot_models.load("{NAME}", build=lambda folder: (folder / "config.json").read_text())
    assert made.model == "{{}}"
"""
#: No network: what opens one takes longer than all the rest.
FILES = {"config.json": b"{}", "model.safetensors": bytes(5000)}


@pytest.fixture
def hub(site: StandIn, remote: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A hub whose model is in a remote, which the environment names."""
    site.add_repo("org/model", FILES)
    machine = Machine(site, tmp_path / "full")
    stored = machine.acquire(NAME)
    with machine.pipeline().transfer.remote(remote, Deadline(30)) as folder:
        Pushing(folder, How()).push(stored)
    site.log.clear()
    for name, value in {**site.environ(), "POT_REMOTE": remote}.items():
        monkeypatch.setenv(name, value)
    return site


@pytest.mark.parametrize(
    "remote", ["a folder", pytest.param("S3", marks=pytest.mark.slow)], indirect=True
)
def test_workers_have_the_model_from_the_remote(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("-n2", "--pot-network=warm")
    result.assert_outcomes(passed=4)
    assert len(hub.log) == 0


@pytest.mark.parametrize("remote", ["a folder"], indirect=True)
def test_a_plan_knows_the_sizes_from_the_remote(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("--pot-plan")
    assert result.ret == 0
    assert NAME in result.stdout.str()
    assert len(hub.log) == 0


@pytest.mark.parametrize("remote", ["a folder"], indirect=True)
def test_a_model_beyond_the_limit_is_refused(pytester: pytest.Pytester, hub: StandIn) -> None:
    pytester.makepyfile(TESTS)
    result = pytester.runpytest_subprocess("--pot-max-size=1000")
    result.stdout.fnmatch_lines(["*--pot-max-size allows 1.0 kB*"])
    assert result.ret == 1
    assert len(hub.log) == 0


def test_the_header_names_the_remote_without_its_keys(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_REMOTE", "s3://KEYKEYKEY:SECRET@bucket/models")
    pytester.makepyfile("def test_it(): ...")
    result = pytester.runpytest_subprocess()
    result.stdout.fnmatch_lines(["potmodels: *remote=s3://bucket/models (POT_REMOTE)*"])
    assert "SECRET" not in result.stdout.str()


def test_an_address_that_cannot_be_meant_ends_the_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_REMOTE", "s33://bucket")
    pytester.makepyfile("def test_it(): ...")
    result = pytester.runpytest_subprocess()
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: POT_REMOTE: unknown scheme of a remote 's33'*'s3'*"])
