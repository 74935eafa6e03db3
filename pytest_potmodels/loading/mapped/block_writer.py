"""Write a file in large blocks, so that the kernel maps it by few entries of the page table.

Linux keeps a file in memory in pieces as large as those in which it was written (XFS since Linux
6.6, ext4 since 6.16), and one entry maps a piece of two megabytes. Written tensor by tensor, a
third of the weights of BERT has an entry for each 4 KiB; the first forward pass makes all of
these, and each look for written pages walks through them. Elsewhere this costs nothing.
"""

from typing import BinaryIO

#: What one entry of a page table's second level maps, on x86-64 and arm64.
BLOCK = 2 * 1024 * 1024


class BlockWriter:
    """Gives a file whole blocks only, until it is flushed."""

    def __init__(self, file: BinaryIO) -> None:
        """Write to the begin of `file`."""
        self._file = file
        self._rest = bytearray()

    def write(self, data: bytes | memoryview) -> int:
        """Take bytes; give their number, as a file does.

        Raises:
            OSError: the disk does not take them.
        """
        view = memoryview(data)
        if self._rest or len(view) < BLOCK:
            missing = BLOCK - len(self._rest)
            self._rest += view[:missing]
            view = view[missing:]
            if len(self._rest) < BLOCK:
                return len(data)
            self._give_rest()
        whole = len(view) // BLOCK * BLOCK
        self._file.write(view[:whole])
        self._rest += view[whole:]
        return len(data)

    def flush(self) -> None:
        """Write what is left; only the end of the file is no whole block.

        Raises:
            OSError: the disk does not take it.
        """
        self._give_rest()
        self._file.flush()

    def _give_rest(self) -> None:
        self._file.write(self._rest)
        self._rest.clear()
