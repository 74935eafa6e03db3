"""Tables: whole lines in pipes, folded on terminals."""

from pathlib import Path
from typing import Any

import pytest
from cli.harness import NAME, Cli
from standin import Repo

from pytest_potmodels.cli.tables import Table, put_table


def test_columns_are_aligned_and_nothing_trails(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(Table(("name", "size"), (("a", "1"), ("long", "100")), frozenset({"size"})))
    assert capsys.readouterr().out == "NAME  SIZE\na        1\nlong   100\n"


def test_a_table_without_rows_is_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    put_table(Table(("name",), ()))
    assert capsys.readouterr().out == ""


def test_a_pipe_gets_digests_and_paths_whole_however_narrow(
    cli: Cli, stored: Path, tiny: Repo
) -> None:
    cli.environ["COLUMNS"] = "20"
    said = cli.process("show", NAME).stdout
    assert str(stored) in said
    assert all(blob.sha256 in said for blob in tiny.commits[tiny.sha].files.values())
    assert tiny.sha in cli.process("list").stdout
    assert "…" not in said


def test_a_terminal_folds_and_drops_no_character(terminal: Any, cli: Cli) -> None:
    folder = cli.folder / ("long" * 20)
    with terminal("config", "--cache-dir", str(folder), columns=60) as shown:
        assert shown.end() == 0
    assert max(len(line.rstrip()) for line in shown.text.splitlines()) <= 60
    lines = [line for line in shown.text.splitlines() if line.strip()]
    start = next(i for i, line in enumerate(lines) if line.startswith("cache_dir"))
    end = next(i for i, line in enumerate(lines) if line.startswith("mock"))
    value = slice(lines[0].index("value"), lines[0].index("from"))
    assert "".join(line[value].strip() for line in lines[start:end]) == str(folder)


def test_a_terminal_shows_eight_digits_of_a_commit(terminal: Any, stored: Path, tiny: Repo) -> None:
    with terminal("list") as shown:
        assert shown.end() == 0
    assert f" {tiny.sha[:8]} " in shown.text
    assert tiny.sha not in shown.text
