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


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.duckdb" / "inside").mkdir(parents=True)
    with pytest.raises(StoreError, match="--database"):
        database.load(tmp_path / "rows.duckdb", [row()])
