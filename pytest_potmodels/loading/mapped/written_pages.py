"""Which pages of a private mapping were written? The kernel knows: they are no file pages.

A write to a MAP_PRIVATE mapping gives the process an anonymous copy of that page. Linux tells
by ioctl (PAGEMAP_SCAN, Linux 6.7, Documentation/admin-guide/mm/pagemap.rst) or by bits in
/proc/self/pagemap (bit 61 for file pages, Linux 3.5). Elsewhere nobody can tell.
"""

import array
import mmap
import os
import struct
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise
from typing import BinaryIO

#: Ranges of offsets into a mapping: (begin, end), page-aligned, ascending.
Ranges = list[tuple[int, int]]
#: Finds the pages written in `length` bytes of memory from `address`.
Scan = Callable[[int, int], Ranges]

_PAGEMAP = "/proc/self/pagemap"
#: struct pm_scan_arg of linux/fs.h: twelve 64-bit words.
_SCAN_ARGUMENT = struct.Struct("<12Q")
#: _IOWR('f', 16, struct pm_scan_arg)
_PAGEMAP_SCAN = (3 << 30) | (_SCAN_ARGUMENT.size << 16) | (ord("f") << 8) | 16
_IS_FILE, _IS_PRESENT, _IS_SWAPPED = 1 << 2, 1 << 3, 1 << 4
#: struct page_region: begin, end, categories.
_REGION = 3
_REGIONS_AT_ONCE = 256
_BIT_FILE, _BIT_SWAPPED, _BIT_PRESENT = 1 << 61, 1 << 62, 1 << 63


def by_ioctl(address: int, length: int) -> Ranges:
    """Ask with PAGEMAP_SCAN, which walks the page table in the kernel.

    Raises:
        OSError: this kernel does not have it.
    """
    found: Ranges = []
    regions = array.array("Q", bytes(8 * _REGION * _REGIONS_AT_ONCE))
    begin, end = address, address + length
    # Opened for each scan: after a fork an inherited descriptor would tell of the parent's memory.
    with _pagemap() as pagemap:
        while begin < end:
            count, begin = _scan(pagemap, begin, end, regions)
            found += [
                (regions[at] - address, regions[at + 1] - address)
                for at in range(0, count * _REGION, _REGION)
            ]
    return found


def by_bits(address: int, length: int) -> Ranges:
    """Read one 64-bit word per page from /proc/self/pagemap.

    Raises:
        OSError: there is none, or it may not be read.
    """
    pages = -(-length // mmap.PAGESIZE)
    words = array.array("Q")
    with _pagemap() as pagemap:
        pagemap.seek(address // mmap.PAGESIZE * words.itemsize)
        words.frombytes(pagemap.read(pages * words.itemsize))
    if len(words) != pages:
        raise OSError(f"{_PAGEMAP} ends early")
    written = (
        number
        for number, word in enumerate(words)
        if word & (_BIT_PRESENT | _BIT_SWAPPED) and not word & _BIT_FILE
    )
    return list(_joined(written))


@cache
def best_scan() -> Scan | None:
    """The first way that finds a written page in a probe; None where there is none."""
    if sys.platform != "linux":
        return None
    return next(filter(_works, (by_ioctl, by_bits)), None)


def address_of(mapping: mmap.mmap) -> int:
    """Where a mapping lies in memory."""
    # Behind this door: ctypes costs what a whole plugin's start-up does.
    import ctypes  # noqa: PLC0415

    return ctypes.addressof(ctypes.c_char.from_buffer(mapping))


def _pagemap() -> BinaryIO:
    return open(_PAGEMAP, "rb", buffering=0)  # noqa: PTH123  unbuffered, for an ioctl


def _scan(pagemap: BinaryIO, begin: int, end: int, regions: "array.array[int]") -> tuple[int, int]:
    """Fill `regions`; their number, and the address up to which the kernel came."""
    import fcntl  # noqa: PLC0415  not on Windows

    room = regions.buffer_info()[0]
    argument = bytearray(
        _SCAN_ARGUMENT.pack(
            *(_SCAN_ARGUMENT.size, 0, begin, end, 0),  # size, flags, start, end, walk_end
            *(room, _REGIONS_AT_ONCE, 0),  # vec, vec_len, max_pages (0: no limit)
            # Not (inverted) a file's, and present or swapped out; reported so.
            *(_IS_FILE, _IS_FILE, _IS_PRESENT | _IS_SWAPPED, _IS_FILE),
        )
    )
    count: int = fcntl.ioctl(pagemap.fileno(), _PAGEMAP_SCAN, argument)
    return count, _SCAN_ARGUMENT.unpack(argument)[4]


def _joined(numbers: Iterator[int]) -> Iterator[tuple[int, int]]:
    """Page numbers as ranges of bytes."""
    pages = [*numbers]
    cuts = [0, *(at + 1 for at, (a, b) in enumerate(pairwise(pages)) if b != a + 1), len(pages)]
    for first, last in pairwise(cuts):
        if first < last:
            yield pages[first] * mmap.PAGESIZE, (pages[last - 1] + 1) * mmap.PAGESIZE


def _works(scan: Scan) -> bool:
    """Whether one written page among four is found: emulated kernels answer, and wrongly."""
    page = mmap.PAGESIZE
    try:
        with tempfile.TemporaryFile() as file:
            file.write(bytes(4 * page))
            file.flush()
            with mmap.mmap(file.fileno(), 4 * page, access=mmap.ACCESS_COPY) as probe:
                touched = probe[::page]
                probe[2 * page] = 1
                return len(touched) == 4 and scan(address_of(probe), 4 * page) == [  # noqa: PLR2004
                    (2 * page, 3 * page)
                ]
    except (OSError, BufferError):
        return False


def page_table_readable() -> bool:
    """Whether this system can tell written pages; `doctor` says what it costs if not."""
    return os.name == "posix" and best_scan() is not None
