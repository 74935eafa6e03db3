"""Both ways to ask the kernel, against real writes to real mappings."""

import ctypes
import json
import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from pytest_potmodels.loading.mapped import written_pages
from pytest_potmodels.loading.mapped.written_pages import (
    Scan,
    address_of,
    best_scan,
    by_bits,
    by_ioctl,
)

PAGE = mmap.PAGESIZE
Map = Callable[[int], mmap.mmap]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")


@pytest.fixture(params=[by_ioctl, by_bits], ids=lambda scan: str(scan.__name__))
def scan(request: pytest.FixtureRequest) -> Scan:
    found: Scan = request.param
    if not written_pages._works(found):
        pytest.skip("not of this kernel")
    return found


@pytest.fixture
def mapped(tmp_path: Path) -> Iterator[Map]:
    """Maps a new file of so many bytes, privately."""
    made: list[mmap.mmap] = []

    def make(size: int) -> mmap.mmap:
        path = tmp_path / "file"
        path.write_bytes(os.urandom(size))
        with path.open("rb") as file:
            made.append(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
        return made[-1]

    yield make
    for mapping in made:
        mapping.close()


def written(scan: Scan, mapping: mmap.mmap) -> list[tuple[int, int]]:
    return [(begin // PAGE, end // PAGE) for begin, end in scan(address_of(mapping), len(mapping))]


def test_neither_a_fresh_mapping_nor_one_that_was_read_is_written(scan: Scan, mapped: Map) -> None:
    mapping = mapped(64 * PAGE)
    assert written(scan, mapping) == []
    assert len(bytes(mapping)) == 64 * PAGE
    assert written(scan, mapping) == []


@pytest.mark.parametrize("at", [0, 1, PAGE - 1, PAGE, 5 * PAGE + 7, 16 * PAGE - 1])
def test_a_single_byte_is_found_in_its_page(scan: Scan, mapped: Map, at: int) -> None:
    mapping = mapped(16 * PAGE)
    mapping[at] ^= 1
    assert written(scan, mapping) == [(at // PAGE, at // PAGE + 1)]


def test_a_write_of_the_same_value_is_found_too(scan: Scan, mapped: Map) -> None:
    mapping = mapped(4 * PAGE)
    mapping[2 * PAGE] = mapping[2 * PAGE]
    assert written(scan, mapping) == [(2, 3)]


def test_the_last_page_counts_although_the_file_ends_in_it(scan: Scan, mapped: Map) -> None:
    mapping = mapped(3 * PAGE + 100)
    mapping[-1] ^= 1
    assert written(scan, mapping) == [(3, 4)]


def test_neighbours_are_one_range(scan: Scan, mapped: Map) -> None:
    mapping = mapped(64 * PAGE)
    for page in (3, 4, 5, 9, 63):
        mapping[page * PAGE] ^= 1
    assert written(scan, mapping) == [(3, 6), (9, 10), (63, 64)]


def test_more_ranges_than_the_kernel_tells_at_once_are_all_found(scan: Scan, mapped: Map) -> None:
    pages = 5001
    mapping = mapped(pages * PAGE)
    for page in range(0, pages, 2):
        mapping[page * PAGE] ^= 1
    assert written(scan, mapping) == [(page, page + 1) for page in range(0, pages, 2)]


def test_a_write_past_python_is_found(scan: Scan, mapped: Map) -> None:
    mapping = mapped(4 * PAGE)
    ctypes.memset(address_of(mapping) + PAGE, 7, 3)
    assert written(scan, mapping) == [(1, 2)]


def test_another_mapping_of_the_file_is_not_touched(
    scan: Scan, mapped: Map, tmp_path: Path
) -> None:
    first, content = mapped(4 * PAGE), (tmp_path / "file").read_bytes()
    with (tmp_path / "file").open("rb") as file:
        second = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    first[0] ^= 1
    assert written(scan, second) == []
    assert second[:] == content == (tmp_path / "file").read_bytes()


def test_after_a_fork_each_process_sees_its_own_writes(scan: Scan) -> None:
    child = Path(__file__).with_name("child_fork.py")
    name = getattr(scan, "__name__", "")
    done = subprocess.run(
        [sys.executable, str(child), name], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [json.loads(line) for line in done.stdout.splitlines()] == [[1], [1, 3], [1]]


def test_the_best_way_of_this_system_is_found() -> None:
    found = best_scan()
    assert found is None or written_pages._works(found)
    assert written_pages.page_table_readable() == (found is not None)


def _uncached() -> Any:
    return best_scan.__wrapped__()


def test_nobody_can_tell_where_there_is_no_page_table(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(written_pages, "_PAGEMAP", str(tmp_path / "absent"))
    assert _uncached() is None


def test_nobody_can_tell_where_the_page_table_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "pagemap").write_bytes(b"")
    monkeypatch.setattr(written_pages, "_PAGEMAP", str(tmp_path / "pagemap"))
    assert _uncached() is None


@pytest.mark.parametrize("bits", [0, 1 << 63, 1 << 63 | 1 << 61])
def test_a_kernel_that_gives_the_same_answer_for_all_pages_is_not_believed(
    monkeypatch: pytest.MonkeyPatch, bits: int
) -> None:
    def pagemap() -> Any:
        return _Everywhere(bits)

    monkeypatch.setattr(written_pages, "_pagemap", pagemap)
    assert _uncached() is None


class _Everywhere:
    """A page table that is the same all over, and knows no ioctl."""

    def __init__(self, bits: int) -> None:
        self._word = bits.to_bytes(8, sys.byteorder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def fileno(self) -> int:
        raise OSError("no such call")

    def seek(self, _at: int) -> None: ...

    def read(self, size: int) -> bytes:
        return self._word * (size // 8)


def test_other_systems_are_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert _uncached() is None
