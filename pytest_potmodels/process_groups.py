"""Children that lead a process group of their own, ended with all that they started."""

import os
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess


def kill(child: "subprocess.Popen[bytes]") -> None:
    """End a child, and where there are process groups also what it started; wait for its end."""
    if child.returncode is None:
        with suppress(OSError):  # It ended just now.
            if os.name == "posix":
                os.killpg(child.pid, signal.SIGKILL)
            else:
                child.kill()
        child.wait()
