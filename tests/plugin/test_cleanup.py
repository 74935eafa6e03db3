"""A cleanup during a run is said on the terminal, and spares what the run uses."""

import os
import sys
import time
from pathlib import Path

import pytest
from standin import StandIn

TESTS = """
def test_it(pot_models):
    assert pot_models.path("org/new").exists()
"""


@pytest.fixture
def old(site: StandIn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A model that was last used a month ago, and a hub that has another."""
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    for name in ("old", "new"):
        files = {"config.json": b"{}", "model.safetensors": os.urandom(100_000)}
        site.add_repo(f"org/{name}", files)
    from pytest_potmodels import fetch  # noqa: PLC0415 - after the desk is set
    from pytest_potmodels.store.leases import let_go  # noqa: PLC0415

    folder = fetch("org/old").path
    let_go()
    then = time.time() - 30 * 86400
    used = tmp_path / "cache" / ".pot" / "used" / folder.name
    for place in (used, folder / "model_info.json"):
        os.utime(place, (then, then))
    return folder


@pytest.mark.parametrize("options", [(), ("-n1",)], ids=["alone", "xdist"])
def test_what_goes_is_said_where_there_is_a_terminal(
    pytester: pytest.Pytester,
    old: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    monkeypatch.setenv("CACHE_CLEANUP_THRESHOLD", "0.00015")
    pytester.makepyfile(TESTS)
    result = pytester.run(sys.executable, "-m", "pytest", *options)
    result.assert_outcomes(passed=1)
    assert not old.exists()
    said = "potmodels: cleanup (CACHE_CLEANUP_THRESHOLD: 0.00015 GB): removed huggingface:org/old*"
    if not options:
        result.stdout.fnmatch_lines([said])


def test_a_threshold_that_cannot_be_meant_ends_the_run_at_once(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CACHE_CLEANUP_THRESHOLD", "lots")
    pytester.makepyfile("def test_it(): ...")
    result = pytester.run(sys.executable, "-m", "pytest")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*CACHE_CLEANUP_THRESHOLD: 'lots' is no number of GB*"])
