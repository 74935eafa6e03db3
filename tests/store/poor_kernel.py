"""From here on, this process lives on a poorer file system: the kernel refuses some calls.

Usage: `python poor_kernel.py flock|chmod SCRIPT ARGS...` runs a Python script that way (Linux,
x86-64 or arm64). Exits with 77 where the kernel does not take the filter.
"""

import ctypes
import errno
import os
import platform
import runpy
import struct
import sys

#: The numbers of the calls, and what the kernel answers.
CALLS: dict[str, tuple[dict[str, tuple[int, ...]], int]] = {
    "flock": ({"x86_64": (73,), "aarch64": (32,)}, errno.ENOLCK),
    "chmod": ({"x86_64": (90, 91, 268, 452), "aarch64": (52, 53, 452)}, errno.EPERM),
}
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
LOAD_WORD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


class Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))


def refuse(what: str) -> bool:
    """Load the filter; whether the kernel took it."""
    numbers, answer = CALLS[what]
    mine = numbers.get(platform.machine())
    if sys.platform != "linux" or mine is None:
        return False
    steps = [struct.pack("HBBI", LOAD_WORD, 0, 0, 0)]  # the number of the system call
    for number in mine:
        steps.append(struct.pack("HBBI", JUMP_IF_EQUAL, 0, 1, number))
        steps.append(struct.pack("HBBI", RETURN, 0, 0, ERRNO | answer))
    steps.append(struct.pack("HBBI", RETURN, 0, 0, ALLOW))
    code = b"".join(steps)
    program = Program(len(steps), code)
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return False
    taken: int = libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(program), 0, 0)
    return taken == 0


if __name__ == "__main__":
    if not refuse(sys.argv[1]):
        os._exit(77)
    sys.argv = sys.argv[2:]
    runpy.run_path(sys.argv[0], run_name="__main__")
