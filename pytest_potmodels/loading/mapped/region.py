"""One private mapping of a weights file, lent to one model at a time."""

import contextlib
import mmap
import sys
from pathlib import Path

from pytest_potmodels.loading.mapped.written_pages import Ranges, Scan, address_of

#: References to a mapping that are not a tensor's: the region's own, and getrefcount's argument.
_OWN_REFERENCES = 2


class Region:
    """A copy-on-write view of a file: what is written to it stays in this process.

    The file must never change: a shorter one would end the process (SIGBUS).
    """

    def __init__(self, source: Path | mmap.mmap, scan: Scan | None) -> None:
        """Map a file, or look again at a mapping whose region was let go."""
        self.buffer = source if isinstance(source, mmap.mmap) else _mapped(source)
        self._scan = scan if hasattr(self.buffer, "madvise") else None
        self._address = address_of(self.buffer) if self._scan else 0

    @property
    def idle(self) -> bool:
        """Whether no tensor, array or storage over the mapping is left, wherever it was kept.

        Each storage that torch.frombuffer makes holds one reference to the mapping itself.
        """
        return sys.getrefcount(self.buffer) <= _OWN_REFERENCES

    def written(self) -> Ranges:
        """The pages that were written; all of them where the system cannot tell."""
        told = self._told()
        return [(0, len(self.buffer))] if told is None else told

    def put_back(self) -> bool:
        """Make the written pages the file's again; False where the system cannot tell them.

        Only for an idle region: a model that is in use would lose what it has learned.
        """
        told = self._told()
        for begin, end in told or ():
            # The private copies are dropped; the next access finds the file's page again.
            self.buffer.madvise(mmap.MADV_DONTNEED, begin, end - begin)
        return told is not None

    def _told(self) -> Ranges | None:
        if self._scan is None:
            return None
        try:
            return self._scan(self._address, len(self.buffer))
        except OSError:  # A test has used up all file descriptors, or made itself undumpable.
            return None


def in_memory(region: Region) -> Region:
    """The same bytes in memory of their own, where the file cannot be mapped once more."""
    # Not shared, which is the default: a child of a fork must not write into its parent's.
    copied = mmap.mmap(-1, len(region.buffer), access=mmap.ACCESS_COPY)
    copied[:] = region.buffer[:]
    return Region(copied, None)


def _mapped(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        # ACCESS_COPY is MAP_PRIVATE with read and write on POSIX, PAGE_WRITECOPY on Windows.
        mapping = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    if hasattr(mmap, "MADV_HUGEPAGE"):
        with contextlib.suppress(OSError):  # A kernel without huge pages.
            # What is not in memory comes in as the huge pages that `block_writer` aims at.
            mapping.madvise(mmap.MADV_HUGEPAGE)
    return mapping
