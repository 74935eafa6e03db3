import errno
from pathlib import Path

import pytest

from pytest_potmodels.errors import StoreError
from pytest_potmodels.transfer import disk


def test_too_little_room_is_said_with_both_figures(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"1000\.0 TB are needed, .* are free") as caught:
        disk.check_room(tmp_path, 10**15)
    assert "--pot-cache-dir" in caught.value.remedy


def test_enough_room_passes(tmp_path: Path) -> None:
    disk.check_room(tmp_path, 1)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG])
def test_a_full_disk_gets_its_bytes_back(tmp_path: Path, number: int) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(b"half")
    with pytest.raises(StoreError, match="disk is full"), disk.guarded(part, when_full=part.unlink):
        raise OSError(number, "full")
    assert not part.exists()


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_folder_that_takes_no_files_is_named(tmp_path: Path, number: int) -> None:
    part = tmp_path / "x.part"
    part.write_bytes(b"half")
    with pytest.raises(StoreError, match="does not take files") as caught:  # noqa: SIM117
        with disk.guarded(part, when_full=part.unlink):
            raise OSError(number, "closed")
    assert str(tmp_path) in str(caught.value)
    assert part.exists()


def test_another_failure_of_the_disk_is_said_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="cannot be written"), disk.guarded(tmp_path):
        raise OSError(errno.EIO, "broken")


def test_units_are_decimal() -> None:
    sizes = [disk.in_units(count) for count in (999, 1000, 4_700_000, 5 * 10**9)]
    assert sizes == ["999 bytes", "1.0 kB", "4.7 MB", "5.0 GB"]
