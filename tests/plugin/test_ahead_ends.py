"""However a session ends, what is under way in the background does not keep it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from standin import Stalled, StandIn
from standin.models import tiny_bert

REQUIRES = """
import pytest

@pytest.mark.requires_model("org/model")
def test_it(): ...
"""
FOUR = """
import pytest

@pytest.mark.requires_model("org/model")
@pytest.mark.parametrize("n", range(4))
def test_it(n): ...
"""
SLEEPS = """
import time

def test_sleeps():
    time.sleep(60)
"""
#: Longer than any end should take on a busy machine, shorter than what would be waited for.
PROMPT = 25.0

posix = pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")


@pytest.fixture
def stalled(site: StandIn, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """A hub that sends 50 kB of a model's weights, and then nothing for ever."""
    site.add_repo("org/model", tiny_bert())
    site.fault(Stalled(at=50_000), "model.safetensors", server="cdn")
    for name, value in site.environ().items():
        monkeypatch.setenv(name, value)
    return site


@pytest.fixture
def has_begun(tmp_path: Path) -> Callable[[], bool]:
    parts = tmp_path / "cache" / ".pot" / "partial"
    return lambda: [p.stat().st_size for p in parts.glob("*/model.safetensors.part")] == [50_000]


def interrupted(pytester: pytest.Pytester, has_begun: Callable[[], bool], *args: str) -> str:
    """Run pytest, press Ctrl-C in the middle of the download, and return what it said."""
    command = [sys.executable, "-m", "pytest", *args]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with pytester.popen(command, **pipes, start_new_session=True) as child:
        end = time.monotonic() + 60
        while not has_begun():
            assert time.monotonic() < end
            assert child.poll() is None, child.communicate()
            time.sleep(0.05)
        pressed = time.monotonic()
        os.killpg(child.pid, signal.SIGINT)  # As a terminal does: to every process of the run.
        said = str(child.communicate(timeout=90)[0], "utf-8")
        assert child.returncode == pytest.ExitCode.INTERRUPTED, said
        assert time.monotonic() - pressed < PROMPT
    return said


@posix
@pytest.mark.parametrize("source", [REQUIRES, SLEEPS + REQUIRES], ids=["waits", "runs"])
def test_ctrl_c_ends_at_once_and_keeps_what_came(
    pytester: pytest.Pytester,
    stalled: StandIn,
    has_begun: Callable[[], bool],
    source: str,
) -> None:
    pytester.makepyfile(source)
    said = interrupted(pytester, has_begun)
    assert "KeyboardInterrupt" in said
    assert "Traceback" not in said.partition("KeyboardInterrupt")[2]
    assert has_begun()
    stalled.log.clear()
    pytester.makepyfile(REQUIRES)
    pytester.runpytest_subprocess().assert_outcomes(passed=1)
    (resumed,) = stalled.log.select("model.safetensors", server="cdn")
    assert resumed.headers["range"] == "bytes=50000-"


@posix
def test_ctrl_c_ends_all_workers(
    pytester: pytest.Pytester, stalled: StandIn, has_begun: Callable[[], bool]
) -> None:
    pytester.makepyfile(FOUR)
    interrupted(pytester, has_begun, "-n2")


@posix
def test_ctrl_c_ends_the_wait_for_a_warm_network(
    pytester: pytest.Pytester, stalled: StandIn, has_begun: Callable[[], bool]
) -> None:
    pytester.makepyfile(REQUIRES)
    interrupted(pytester, has_begun, "--pot-network=warm")


def test_the_first_failure_ends_a_run_that_wants_no_more(
    pytester: pytest.Pytester, stalled: StandIn, tmp_path: Path
) -> None:
    stalled.fault(Stalled(at=50_000), "model.safetensors", server="cdn", times=None)
    pytester.makepyfile(
        f"""
        import time
        from pathlib import Path

        PARTS = Path({str(tmp_path)!r}) / "cache" / ".pot" / "partial"

        def test_fails():
            while not list(PARTS.glob("*/*.part")):
                time.sleep(0.05)
            raise AssertionError
        """
        + REQUIRES.replace("\n", "\n        ")
    )
    result = pytester.runpytest_subprocess("-x")
    result.assert_outcomes(failed=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert result.duration < PROMPT


def test_a_worker_that_dies_leaves_its_work_to_the_others(
    pytester: pytest.Pytester, stalled: StandIn, tmp_path: Path
) -> None:
    pytester.makeconftest(
        f"""
        import os, threading, time
        from pathlib import Path
        import pytest

        PARTS = Path({str(tmp_path)!r}) / "cache" / ".pot" / "partial"

        DIED = Path({str(tmp_path)!r}) / "died"  # Once: who takes over finds the same part.

        def die_in_the_middle():
            while not any(p.stat().st_size == 50_000 for p in PARTS.glob("*/*.part")):
                time.sleep(0.05)
            DIED.touch()
            os._exit(1)

        @pytest.hookimpl(trylast=True)
        def pytest_collection_finish(session):
            begun = any("prefetch" in each.name for each in threading.enumerate())
            if begun and not DIED.exists():
                threading.Thread(target=die_in_the_middle, daemon=True).start()
        """
    )
    pytester.makepyfile(FOUR)
    result = pytester.runpytest_subprocess("-n2")
    outcomes = result.parseoutcomes()
    assert outcomes["passed"] >= 3, outcomes
    assert sum(outcomes.values()) <= 5
    result.stdout.fnmatch_lines(["*replacing crashed worker gw?*"])
    assert stalled.log.gets("/repos/") == 2
    assert result.duration < 60
