"""How many cores this process may use: the machine's, its affinity mask, its cgroup's quota."""

import os
from collections.abc import Iterator
from pathlib import Path

_CGROUPS = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")


def usable_cores() -> int:
    """The cores that this process may use; a container is often given a part of the machine."""
    return max(1, int(min(allowed_cores(), quota(_CGROUPS, _MEMBERSHIP))))


def allowed_cores() -> int:
    """The cores that the scheduler may run this process on."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        return int(os.process_cpu_count() or 1)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def quota(cgroups: Path, membership: Path) -> float:
    """The processor time that control groups grant per unit of time, in cores; without one, inf.

    Args:
        cgroups: where the kernel shows control groups.
        membership: the file that says which of them this process is in.
    """
    return min((cores for folder in _own(cgroups, membership) for cores in _limits(folder)),
               default=float("inf"))  # fmt: skip


def _own(cgroups: Path, membership: Path) -> Iterator[Path]:
    """The folders of the groups that hold this process: a limit of any of them binds it."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:  # No Linux, or /proc is not there.
        return
    for line in lines:
        _, _, rest = line.partition(":")
        controllers, _, inside = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = cgroups / controllers
        own = top / inside.lstrip("/")
        # In a container the path may be the host's, and the container's group is the top.
        yield from (each for each in (own, *own.parents) if each == top or top in each.parents)


def _limits(folder: Path) -> Iterator[float]:
    """Version 2 writes `quota period` into one file, with `max` for none; version 1 into two."""
    try:
        granted, period = (folder / "cpu.max").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        try:
            granted = (folder / "cpu.cfs_quota_us").read_text(encoding="ascii").strip()
            period = (folder / "cpu.cfs_period_us").read_text(encoding="ascii").strip()
        except OSError:
            return
    if granted.isdigit() and int(period):  # Version 1 writes -1 for none.
        yield int(granted) / int(period)
