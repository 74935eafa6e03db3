import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from verification.benchmark.rows import row

from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.verification.benchmark import database


def test_a_database_has_the_rows_in_columns(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.duckdb"
    rows = (row(), row("onnxruntime", error="it's; DROP TABLE results", status="failed"))
    database.load(path, rows)
    assert database.read(path) == rows
    with duckdb.connect(str(path), read_only=True) as connection:
        found = connection.execute(
            "SELECT backend, was_converted, p50_ms, versions->>'python' FROM results"
        ).fetchall()
    assert found == [("torch", True, 4.0, "3.11"), ("onnxruntime", True, 2.0, "3.11")]


def test_made_again_it_has_what_the_lines_have(tmp_path: Path) -> None:
    path = tmp_path / "rows.duckdb"
    database.load(path, [row(), row()])
    database.load(path, [row(run="only")])
    assert [each.run for each in database.read(path)] == ["only"]
    database.load(path, [])
    assert database.read(path) == ()
    assert sorted(tmp_path.iterdir()) == [path]


def test_a_reader_keeps_what_it_opened(tmp_path: Path) -> None:
    path = tmp_path / "rows.duckdb"
    database.load(path, [row(run="old")])
    with duckdb.connect(str(path), read_only=True) as connection:
        database.load(path, [row(run="new")])
        assert connection.execute("SELECT run FROM results").fetchall() == [("old",)]
    assert [each.run for each in database.read(path)] == ["new"]


def test_what_is_no_database_of_rows_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.duckdb").write_text("no database")
    with pytest.raises(UsageError, match="no database of rows"):
        database.read(tmp_path / "text.duckdb")
    with pytest.raises(UsageError, match="there is no file"):
        database.read(tmp_path / "absent.duckdb")
    duckdb.connect(str(tmp_path / "foreign.duckdb")).close()
    with pytest.raises(UsageError, match="benchmark load"):
        database.read(tmp_path / "foreign.duckdb")


def test_what_is_somebody_elses_is_not_replaced(tmp_path: Path) -> None:
    rows_at, notes = tmp_path / "rows.jsonl", tmp_path / "notes.txt"
    notes.write_text("mine, and longer than a head")
    for target, told in ((rows_at, "both the rows and"), (notes, "would be replaced")):
        with pytest.raises(UsageError, match=told):
            database.check(target, rows_at)
    (tmp_path / "spoilt.duckdb").write_text("an index that can be made again")
    (tmp_path / "empty").touch()
    database.load(tmp_path / "rows", [row()])
    for name in ("spoilt.duckdb", "empty", "rows", "absent.txt"):
        database.check(tmp_path / name, rows_at)


def test_one_that_another_process_writes_is_told_as_such(tmp_path: Path) -> None:
    path = tmp_path / "rows.duckdb"
    database.load(path, [row(run="old")])
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(StoreError, match="in use by another process"):
            database.read(path)
        database.load(path, [row(run="new")])
        holder.communicate(b"\n")
    assert [each.run for each in database.read(path)] == ["new"]


@pytest.mark.slow
def test_of_processes_that_make_it_at_once_the_last_has_all_rows(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from verification.benchmark.rows import row\n"
        "from pytest_potmodels.verification.benchmark import database, rows_file\n"
        "for n in range(8):\n"
        "    rows_file.append(Path('rows.jsonl'), [row(run=f'{sys.argv[1]}-{n}')])\n"
        "    database.rebuild(Path('rows.duckdb'), Path('rows.jsonl'))\n"
    )
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    writers = [
        subprocess.Popen([sys.executable, "-c", code, str(name)], env=environ, cwd=tmp_path)
        for name in range(3)
    ]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    found = {each.run for each in database.read(tmp_path / "rows.duckdb")}
    assert found == {f"{name}-{n}" for name in range(3) for n in range(8)}


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.duckdb" / "inside").mkdir(parents=True)
    with pytest.raises(StoreError, match="--database"):
        database.load(tmp_path / "rows.duckdb", [row()])
