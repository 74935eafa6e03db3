import os
import threading
from pathlib import Path

import pytest

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.new_file import write_new


def test_a_file_is_written_with_the_folders_above_it(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "file"
    write_new(path, b"bytes", overwrite=False)
    assert path.read_bytes() == b"bytes"
    assert [each.name for each in path.parent.iterdir()] == ["file"]


def test_what_is_there_stays_unless_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(LUTError, match=r"is there already(.|\n)*overwrite=True"):
        write_new(path, b"new", overwrite=False)
    assert path.read_bytes() == b"old"
    write_new(path, b"new", overwrite=True)
    assert path.read_bytes() == b"new"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_of_many_at_once_one_writes_and_all_others_are_told(tmp_path: Path) -> None:
    path, told = tmp_path / "file", []
    start = threading.Barrier(8)

    def write(number: int) -> None:
        start.wait()
        try:
            write_new(path, b"%d" % number * 1000, overwrite=False)
        except LUTError as error:
            told.append(error.message)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 7
    assert all("is there already" in message for message in told)
    assert len(set(path.read_bytes())) == 1
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_file_system_without_links_takes_it_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_args: object, **_kwargs: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    write_new(tmp_path / "file", b"bytes", overwrite=False)
    assert (tmp_path / "file").read_bytes() == b"bytes"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_does_not_take_it_is_said_and_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no folder")
    with pytest.raises(LUTError, match="cannot be written"):
        write_new(tmp_path / "file" / "below", b"bytes", overwrite=False)
    (tmp_path / "folder").mkdir()
    with pytest.raises(LUTError, match="cannot be written"):
        write_new(tmp_path / "folder", b"bytes", overwrite=True)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["file", "folder"]
