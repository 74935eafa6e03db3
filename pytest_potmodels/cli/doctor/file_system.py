"""The file system under the cache: which one, can copies share their bytes, does case count."""

import shutil
import sys
from pathlib import Path

from pytest_potmodels.cli.doctor.finding import Finding
from pytest_potmodels.store.reflinks import clone

_MOUNTS = Path("/proc/self/mountinfo")
_IN_MEMORY = frozenset({"tmpfs", "ramfs"})


def check(folder: Path) -> Finding:
    """Try it out in a folder that takes files."""
    kind = kind_of(folder)
    said = ", ".join([kind or sys.platform, _copies(folder), _names(folder)])
    if kind in _IN_MEMORY:
        remedy = "choose a --cache-dir on a disk, or fetch everything again after a restart"
        return Finding("filesystem", "warn", f"{said}; gone when the machine stops", remedy)
    return Finding("filesystem", "ok", said)


def kind_of(folder: Path) -> str:
    """The type of the file system that a folder is on; "" where the system has no such list."""
    best, found = -1, ""
    for line in _MOUNTS.read_text("utf-8").splitlines() if _MOUNTS.exists() else ():
        before, _, after = line.partition(" - ")
        # A blank is written as \040 there.
        point = Path(before.split()[4].encode().decode("unicode_escape"))
        if folder.resolve().is_relative_to(point) and len(point.parts) >= best:
            best, found = len(point.parts), after.split()[0]
    return found


def _copies(folder: Path) -> str:
    source, target = folder / "source", folder / "target"
    source.write_bytes(b"bytes" * 1000)
    with source.open("rb") as old, target.open("wb") as new:
        shared = clone(old, new)
    if not shared:
        shutil.copyfile(source, target)
    return "copies share their bytes" if shared else "copies take room of their own"


def _names(folder: Path) -> str:
    (folder / "Case").touch()
    same = (folder / "case").exists()
    return "names that differ in case are one file" if same else "case counts in names"
