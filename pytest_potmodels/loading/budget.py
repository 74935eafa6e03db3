"""How many bytes of weights one process keeps ready, if nobody has said."""

import contextlib
import os
from collections.abc import Mapping
from pathlib import Path

#: A container's own limit (cgroup v2, v1).
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
#: Where a system does not tell its memory (Windows, without a library for that).
_ASSUMED = 8 * 1024**3


def default_budget(environ: Mapping[str, str]) -> int:
    """Half of the memory there is, shared by the workers of pytest-xdist."""
    workers = environ.get("PYTEST_XDIST_WORKER_COUNT", "1")
    return memory() // 2 // (int(workers) if workers.isdecimal() and int(workers) else 1)


def memory() -> int:
    """Bytes of memory that this process may use."""
    return min([_physical(), *_container_limits()])


def _physical() -> int:
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return _ASSUMED


def _container_limits() -> list[int]:
    found = []
    for place in _LIMITS:
        with contextlib.suppress(OSError, ValueError):  # No such file, or "max".
            found.append(int(Path(place).read_text(encoding="ascii")))
    return found
