"""Copies that share their bytes on disk until one is written to: btrfs, XFS, bcachefs on Linux."""

import sys
from typing import BinaryIO

#: ioctl_ficlone(2).
_FICLONE = 0x40049409


def clone(source: BinaryIO, target: BinaryIO) -> bool:
    """Have an empty file share the bytes of another; False where the file system cannot."""
    if sys.platform != "linux":
        return False
    import fcntl  # noqa: PLC0415 - there is none on Windows

    try:
        fcntl.ioctl(target.fileno(), _FICLONE, source.fileno())
    except OSError:
        return False
    return True
