import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from verification.benchmark.rows import SERVER, row

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.verification.benchmark.rows_file import append, read

#: Appends many rows, each longer than what a pipe or a buffer takes at once.
_WRITER = """
import sys
from pathlib import Path
from verification.benchmark.rows import row
from pytest_potmodels.verification.benchmark.rows_file import append
for number in range(40):
    append(Path(sys.argv[1]), [row(run=f"{sys.argv[2]}-{number}", error="x" * 9000)])
"""


def test_rows_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.jsonl"
    rows = [row(), row("onnxruntime", error="line\nbreak ünï", p50_ms=0.25)]
    append(path, rows[:1])
    append(path, rows[1:])
    assert read(path).rows == tuple(rows)
    assert read(path).damaged == ()


def test_processes_that_write_at_once_do_not_spoil_a_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, path, str(name)], env=environ)
        for name in range(4)
    ]
    assert [writer.wait(timeout=60) for writer in writers] == [0] * 4
    found = read(path)
    assert found.damaged == ()
    assert {each.run for each in found.rows} == {f"{w}-{n}" for w in range(4) for n in range(40)}


def test_a_line_that_was_written_in_part_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    append(path, [row(run="first")])
    with path.open("ab") as stream:
        stream.write(b'{"schema": 1, "run": "torn')
    append(path, [row(run="last")])
    found = read(path)
    assert [each.run for each in found.rows] == ["first", "last"]
    (damaged,) = found.damaged
    assert damaged.startswith(f"{path}:2: it is no whole line of JSON")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": 99}, "no row of schema 1"),
        ({"strange": 1}, "other keys than a row: strange"),
        ({"p50_ms": "fast"}, "its p50_ms is 'fast'"),
        ({"machine": []}, "its machine is []"),
        ({"was_converted": "yes"}, "its was_converted is 'yes'"),
        ({"machine": SERVER}, "is another machine's"),
    ],
    ids=range(6),
)
def test_a_line_that_is_no_row_is_told_with_its_place(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({**row().as_json(), **change}) + "\n")
    (damaged,) = read(path).damaged
    assert damaged == f"{path}:1: it is {told}" or damaged.endswith(told)


def test_a_file_of_another_kind_is_not_written_to(tmp_path: Path) -> None:
    names = tmp_path / "models.txt"
    names.write_text("bert-base-uncased\n")
    with pytest.raises(UsageError, match="no file of rows"):
        append(names, [row()])
    assert names.read_text() == "bert-base-uncased\n"


def test_a_file_that_is_not_there_or_takes_nothing_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read(tmp_path / "absent.jsonl")
    with pytest.raises(StoreError, match="does not take the results"):
        append(tmp_path, [row()])
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="does not take the results"):
        append(tmp_path / "file" / "rows.jsonl", [row()])
