"""A DuckDB database of the rows: an index that can be made again from the lines at any time."""

import contextlib
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.errors import StoreError, UsageError
from pytest_potmodels.store import disk
from pytest_potmodels.verification.benchmark import row as rows
from pytest_potmodels.verification.benchmark import rows_file
from pytest_potmodels.verification.benchmark.row import Row
from pytest_potmodels.verification.benchmark.rows_file import Read

_SQL = {int: "BIGINT", float: "DOUBLE", bool: "BOOLEAN", str: "VARCHAR"}
_NAMES = [each.name for each in fields(Row)]
_TABLE = "results"
#: Of files that are a database, whatever is in them: an index that may be made again.
SUFFIXES = (".duckdb", ".db")
#: What DuckDB says of a file that another process writes to, on POSIX and on Windows.
_HELD = ("Could not set lock", "used by another process")
#: Where DuckDB writes what the file is.
_MAGIC = slice(8, 12)


def check(path: Path, rows_at: Path) -> None:
    """Pass if a file may be replaced by a database of the rows that lie in another one.

    Raises:
        UsageError: it is that other one, or somebody's file of another kind.
    """
    if path.resolve() == rows_at.resolve():
        raise UsageError(
            f"{path} cannot be both the rows and their database.",
            remedy="name the rows FILE.jsonl, or the database with --database",
        )
    with contextlib.suppress(OSError):  # Whatever is wrong with it is said when it is written.
        with path.open("rb") as stream:
            begins = stream.read(_MAGIC.stop)
        if begins and begins[_MAGIC] != b"DUCK" and path.suffix not in SUFFIXES:
            raise UsageError(
                f"{path} is no database, and would be replaced.",
                remedy="name another with --database",
            )


def rebuild(path: Path, rows_at: Path) -> Read:
    """Make the database anew from all lines; of several processes the last one has read them all.

    Raises:
        MissingPackageError, StoreError: as for `load`.
        UsageError: there is no such file of rows, or the database is no file to replace.
    """
    check(path, rows_at)
    with _alone(rows_at):
        found = rows_file.read(rows_at)
        load(path, found.rows)
    return found


@contextlib.contextmanager
def _alone(rows_at: Path) -> Iterator[None]:
    """Hold the rows; where their folder takes no lock, nobody adds to them either."""
    with contextlib.ExitStack() as held:
        try:
            if rows_at.is_file():
                held.enter_context(rows_file.lock(rows_at))
        except TimeoutError as error:
            raise StoreError(
                f"{rows_at} is held by another process.", remedy="see what that one waits for"
            ) from error
        except OSError:
            pass
        yield


def load(path: Path, found: Sequence[Row]) -> None:
    """Replace the database by one with these rows; readers see the old one or the new one.

    Not written in place, because DuckDB has one writer, and a kill would leave half of a file.

    Raises:
        MissingPackageError: duckdb is not installed.
        StoreError: the folder does not take it.
    """
    duckdb = extras.require("duckdb")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".new-") as folder:
            fresh = Path(folder) / "rows.duckdb"
            with contextlib.closing(duckdb.connect(str(fresh))) as connection:
                _fill(connection, found)
            disk.move(fresh, path)
    except (OSError, duckdb.Error) as error:
        raise StoreError(
            f"{path} cannot be written: {error}.", remedy="name another file with --database"
        ) from error


def read(path: Path) -> tuple[Row, ...]:
    """The rows of a database, in the order of the lines.

    Raises:
        MissingPackageError: duckdb is not installed.
        UsageError: no such file, or none with rows.
        StoreError: another process has it open to write.
    """
    duckdb = extras.require("duckdb")
    try:
        with _opened(duckdb, path) as connection:
            found = connection.execute(
                f"SELECT {', '.join(_quoted(_NAMES))} FROM {_TABLE} ORDER BY number"  # noqa: S608
            ).fetchall()
    except (OSError, duckdb.Error) as error:
        if any(words in str(error) for words in _HELD):
            raise StoreError(
                f"{path} is in use by another process.",
                remedy="close it there, or read the rows themselves",
            ) from error
        raise UsageError(
            f"{path} is no database of rows: {error}",
            remedy="potmodels benchmark load ROWS.jsonl --database FILE makes one",
        ) from error
    return tuple(_row(values) for values in found)


@contextlib.contextmanager
def _opened(duckdb: Any, path: Path) -> Iterator[Any]:
    if not path.is_file():  # connect() would make one.
        raise FileNotFoundError(f"there is no file {path}")
    with contextlib.closing(duckdb.connect(str(path), read_only=True)) as connection:
        yield connection


def _fill(connection: Any, found: Sequence[Row]) -> None:
    columns = ", ".join(
        f"{name} {_SQL.get(rows.TYPES.get(each, str), 'VARCHAR')}"
        for each, name in zip(_NAMES, _quoted(_NAMES), strict=True)
    )
    connection.execute(f"CREATE TABLE {_TABLE} (number BIGINT PRIMARY KEY, {columns})")
    marks = ", ".join("?" for _ in range(len(_NAMES) + 1))
    values = [[number, *map(_plain, each.as_json().values())] for number, each in enumerate(found)]
    if values:
        connection.executemany(f"INSERT INTO {_TABLE} VALUES ({marks})", values)  # noqa: S608


def _row(values: Sequence[Any]) -> Row:
    said = dict(zip(_NAMES, values, strict=True))
    return rows.from_json(
        {name: value if name in rows.TYPES else json.loads(value) for name, value in said.items()}
    )


def _plain(value: Any) -> Any:
    """Mappings as JSON text, which DuckDB's -> and ->> take apart."""
    return json.dumps(value, sort_keys=True) if isinstance(value, dict) else value


def _quoted(names: Sequence[str]) -> list[str]:
    return [f'"{name}"' for name in names]
