"""Progress: lines in logs, bars on terminals, nothing when quiet."""

import re
import time
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli
from standin import Repo, Stalled, Truncated

from pytest_potmodels.cli import progress
from pytest_potmodels.transfer.progress import Progress

LARGE = {**FILES, "model.safetensors": bytes(3_000_000)}


def test_a_log_has_a_line_per_file_and_no_bars(cli: Cli, tiny: Repo) -> None:
    said = cli.process("download", NAME)
    lines = [line for line in said.stderr.splitlines() if "complete" in line]
    assert sorted(line.split()[1] for line in lines) == sorted(FILES)
    assert f"{NAME}: model.safetensors complete, 102.4 kB" in lines
    assert "\r" not in said.stderr
    assert "\x1b" not in said.stderr


def test_a_log_says_of_an_interruption_and_of_a_resumption(cli: Cli, tiny: Repo) -> None:
    cli.site.fault(Truncated(at=50_000), "model.safetensors")
    said = cli.run("download", NAME).stderr
    assert "model.safetensors interrupted at 50.0 kB, trying again" in said
    cli.run("remove", NAME)
    cli.site.fault(Truncated(at=60_000), "model.safetensors")
    cli.run("download", NAME, "--retries", "0", code=3)
    assert "model.safetensors resumed at 60.0 kB" in cli.run("download", NAME).stderr


def test_lines_about_one_file_are_ten_seconds_apart(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    lines = progress.Lines()
    with lines.watching("m"):
        for now in (100.0, 105.0, 111.0, 112.0, 122.0):
            lines(Progress("f", int(now) * 1000, 200_000, "moving"))
    assert capsys.readouterr().err.splitlines() == [
        "m: f 111.0 kB of 200.0 kB",
        "m: f 122.0 kB of 200.0 kB",
    ]


@pytest.mark.parametrize("columns", [40, 100])
def test_a_terminal_shows_a_bar_per_file_and_one_for_all(
    terminal: Any, cli: Cli, columns: int
) -> None:
    cli.site.add_repo("org/tiny", LARGE)
    cli.site.fault(Stalled(at=1_000_000, seconds=1.0), "model.safetensors", server="cdn")
    with terminal("download", NAME, columns=columns) as shown:
        assert shown.end() == 0
    assert re.search(r"[0-9.]+/3\.0 MB", shown.text)
    if columns == 100:
        assert "  model.safetensors" in shown.text
        assert "huggingface:org/tiny" in shown.text
    assert shown.text.splitlines()[-1].startswith("1 model, 3.0 MB in")


def test_messages_come_out_above_the_bars(terminal: Any, cli: Cli, tiny: Repo) -> None:
    with terminal("download", "resnet_18", NAME) as shown:
        assert shown.end() == 2
    assert "error: unknown model 'resnet_18'" in shown.text


def test_a_warm_cache_is_quiet_about_progress(cli: Cli, stored: object) -> None:
    assert "complete" not in cli.run("download", NAME).stderr
