"""Ctrl-C in the middle of a download, on a real process."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli
from standin import Repo, Stalled

WEIGHTS = bytes(range(256)) * 12_000


@pytest.fixture
def large(cli: Cli) -> Repo:
    return cli.site.add_repo("org/tiny", {**FILES, "model.safetensors": WEIGHTS})


def parts(cli: Cli) -> list[Path]:
    return list((cli.cache / ".pot" / "partial").glob("*/model.safetensors.part"))


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_ctrl_c_leaves_a_part_that_the_next_run_resumes(cli: Cli, large: Repo) -> None:
    cli.site.fault(Stalled(at=2_000_000), "model.safetensors", server="cdn")
    with cli.start("download", NAME) as child:
        end = time.monotonic() + 30
        while [part.stat().st_size for part in parts(cli)] != [2_000_000]:
            assert time.monotonic() < end
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGINT)
        out, err = child.communicate(timeout=30)
    assert child.returncode == 130
    assert out == ""
    assert err.splitlines()[-1].startswith("interrupted; what came in part is kept")
    assert "Traceback" not in err
    assert not cli.entry().exists()
    cli.site.log.clear()
    assert cli.json("download", NAME)[0]["status"] == "fetched"
    (request,) = cli.site.log.select("model.safetensors", server="cdn")
    assert request.headers["range"] == "bytes=2000000-"
    assert (cli.entry() / "model.safetensors").read_bytes() == WEIGHTS


@pytest.mark.slow  # of which it waits for most
def test_ctrl_c_on_a_terminal_gives_the_cursor_back(terminal: Any, cli: Cli, large: Repo) -> None:
    cli.site.fault(Stalled(at=2_000_000), "model.safetensors", server="cdn")
    with terminal("download", NAME) as shown:
        shown.wait_for("model.safetensors")
        shown.interrupt()
        assert shown.end() == 130
    assert shown.text.splitlines()[-1].startswith("interrupted; what came in part is kept")
    assert shown.raw.rfind("\x1b[?25h") > shown.raw.rfind("\x1b[?25l")
