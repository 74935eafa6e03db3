"""Processes that use entries of a cache, so that nothing may remove these."""

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CHILD = Path(__file__).parent / "store" / "child_lease.py"


@contextlib.contextmanager
def lease_holders(cache: Path) -> Iterator[Callable[..., Any]]:
    """Gives what starts one with the names of entries; closing its stdin ends it."""
    children = []

    def start(*names: str) -> Any:
        command = [sys.executable, str(CHILD), str(cache), *names]
        child = subprocess.Popen(command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        children.append(child)
        assert child.stdout is not None
        assert child.stdout.readline().startswith("taken")
        return child

    yield start
    for child in children:
        child.kill()
        child.communicate()
