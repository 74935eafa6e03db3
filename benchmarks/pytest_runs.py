"""Processor time of whole pytest runs."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path


def seconds(folder: Path, options: Sequence[str], environment: Mapping[str, str]) -> float:
    """User and system time of one pytest run, whose tests must pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True
    ) as process:
        said = process.stdout.read() if process.stdout else ""
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(said)
    return usage.ru_utime + usage.ru_stime
