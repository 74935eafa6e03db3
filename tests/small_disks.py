"""A file system of so few bytes that it is soon full."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


@contextlib.contextmanager
def small_disk_at(place: Path, size: str) -> Iterator[Path]:
    """Mount one in a new folder; the test is skipped where that takes rights it has not."""
    place.mkdir()
    how = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(place)]
    try:
        subprocess.run(how, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
