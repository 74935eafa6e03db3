"""What the bits of a training depend on beside its recipe, and the switches that pin it."""

import contextlib
import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

#: With two threads the float weights differ, and on a busy machine the training takes far longer.
THREADS = 1
#: Variables by which MKL behaves as on another processor.
_OTHER_SUMS = ("MKL_CBWR", "MKL_DEBUG_CPU_TYPE", "MKL_ENABLE_INSTRUCTIONS")


def stack() -> dict[str, Any]:
    """Versions and processor: where they are the same, the same recipe gives the same bits.

    The instruction set alone does not say it: MKL sums in another order on another processor.
    """
    return {
        "threads": THREADS,
        "torch": str(torch.__version__),
        "numpy": _version("numpy"),
        "scikit_learn": _version("scikit-learn"),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "processor": _processor(),
    }


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """One thread and deterministic algorithms; what was set before comes back."""
    threads = torch.get_num_threads()
    mode = torch.get_deterministic_debug_mode()
    state = torch.get_rng_state()
    torch.set_num_threads(THREADS)
    torch.use_deterministic_algorithms(True)  # noqa: FBT003 - torch's own
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_deterministic_debug_mode(mode)
        torch.set_rng_state(state)


def _version(package: str) -> str:
    """As pip has it; other data than the digits take no scikit-learn."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor() -> str:
    """Maker, family, model and stepping, as far as the system tells."""
    keys = ("vendor_id", "cpu family", "model", "stepping")
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # No Linux.
        return platform.processor() or platform.machine()
    pairs = [line.partition(":") for line in text.splitlines()]
    said = {key.strip(): value.strip() for key, _, value in reversed(pairs)}
    known = [said[key] for key in keys if key in said]
    asked = [f"{name}={os.environ[name]}" for name in _OTHER_SUMS if name in os.environ]
    return " ".join(["/".join(known) or platform.machine(), *asked])
