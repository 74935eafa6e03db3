"""A child that ends when its parent ends, however that happens."""

import contextlib
import ctypes
import os
import signal
import sys
import threading

_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int) -> None:
    """End this process when the standard input ends, or on Linux when its parent does.

    The parent's end of the pipe closes when it dies, on every system. A thread sees that, but not
    while a library computes with Python's lock held; the kernel needs no lock.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # It died before the kernel was asked.
            os._exit(1)
    threading.Thread(target=_end_with_input, name="potmodels-lifeline", daemon=True).start()


def _end_with_input() -> None:
    while sys.stdin.readline():
        pass
    os._exit(1)
