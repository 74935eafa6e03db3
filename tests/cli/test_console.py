"""Streams: who reads them, what they can show, and when their reader leaves."""

import io
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli.harness import FILES, NAME, Cli

from pytest_potmodels.cli import console


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize("words", ["catalog", "list", "catalog --json"])
def test_a_reader_that_leaves_is_no_error(cli: Cli, stored: Path, words: str) -> None:
    run = f"{sys.executable} -m pytest_potmodels {words}"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {run} | head -1; echo ${{PIPESTATUS[0]}}"],
        env={**os.environ, **cli.environ}, cwd=cli.folder,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.splitlines()[-1] == "0"


def test_a_closed_pipe_leaves_the_exit_code_as_it_is(cli: Cli) -> None:
    with cli.start("download", "resnet_18") as child:
        assert child.stdout is not None
        assert child.stderr is not None
        child.stdout.close()
        said = child.stderr.read()
    assert child.returncode == 2
    assert "BrokenPipe" not in said


def test_what_an_encoding_lacks_is_escaped(cli: Cli) -> None:
    cli.site.add_repo("org/tiny", FILES, license="müll-λ")
    cli.environ |= {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    cli.process("download", NAME)
    assert "m\\xfcll-\\u03bb" in cli.process("list").stdout
    assert "m\\u00fcll" in cli.process("list", "--json").stdout
    cli.environ |= {"PYTHONIOENCODING": "utf-8"}
    assert "müll-λ" in cli.process("list").stdout


def test_a_name_from_a_server_does_not_steer_the_terminal(cli: Cli) -> None:
    cli.site.add_repo("org/tiny", FILES, license="\x1b[31mred\x07")
    cli.run("download", NAME)
    for words in (("list",), ("show", NAME), ("list", "--json")):
        assert "\x1b" not in cli.run(*words).stdout


def test_printable_text_stays_as_it_is() -> None:
    assert console.printable("Tür λ\nnext") == "Tür λ\nnext"
    assert console.printable("\x1b[0m\udc80\t") == "\\x1b[0m\\udc80\\t"


def test_a_dumb_terminal_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Teletype(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    assert console.is_terminal(Teletype())
    monkeypatch.setenv("TERM", "dumb")
    assert not console.is_terminal(Teletype())
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert not console.is_terminal(io.StringIO())


def test_forced_colour_in_ci_changes_no_pipe(cli: Cli, stored: Path) -> None:
    plain = cli.process("list").stdout
    cli.environ |= {"FORCE_COLOR": "1", "TTY_COMPATIBLE": "1"}
    assert cli.process("list").stdout == plain
    assert "\x1b" not in cli.process("download", "resnet_18", code=2).stderr


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_an_error_is_red_on_a_terminal_unless_no_color(
    terminal: Any,
    cli: Cli,
    no_color: str,
    coloured: bool,  # noqa: FBT001
) -> None:
    cli.environ["NO_COLOR"] = no_color
    with terminal("show", "nonsense") as shown:
        assert shown.end() == 2
    assert "error: unknown model 'nonsense'" in shown.text
    assert ("\x1b[1;31m" in shown.raw) == coloured


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
@pytest.mark.parametrize("words", [("clear",), ("prune", "--max-size", "0")])
def test_a_closed_stdin_answers_no_question(
    cli: Cli, stored: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setattr(sys, "stdin", None)  # As Python has it after `<&-`.
    assert not console.is_anybody_there()
    monkeypatch.undo()
    assert not console.is_terminal(None)
    run = f"{sys.executable} -m pytest_potmodels {' '.join(words)} <&-"
    done = subprocess.run(
        ["bash", "-c", run], env={**os.environ, **cli.environ}, cwd=cli.folder,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "nobody is at a terminal to agree" in done.stderr
    assert stored.exists()
