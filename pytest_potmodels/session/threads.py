"""Under pytest-xdist each worker computes on its share of the cores.

Left alone, each takes all of them: two workers with two threads each on two cores spin at each
other's barriers, and a forward pass takes up to 27 times as long as with one thread each.
"""

import logging
import os
import sys
from pathlib import Path

import pytest

from pytest_potmodels.session.cores import allowed_cores, usable_cores

_LOGGER = logging.getLogger(__name__)
#: Whoever sets one of these has decided about torch, and about NumPy and ONNX Runtime beside it.
_OPENMP = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
#: The same for tokenizers; RAYON_RS_NUM_CPUS is the old name of the first.
_RAYON = ("RAYON_NUM_THREADS", "RAYON_RS_NUM_CPUS", "TOKENIZERS_PARALLELISM")
_HYPERTHREADS = Path("/sys/devices/system/cpu/smt/active")


def share(config: pytest.Config) -> int | None:
    """The threads that are this worker's part of the cores; None where there are no workers."""
    workers = getattr(config, "workerinput", {}).get("workercount")
    return max(1, usable_cores() // int(workers)) if workers else None


def keep_to_share(config: pytest.Config) -> None:
    """Give torch and tokenizers this worker's share of the cores, unless the user set a number.

    Variables for what is imported later, and for processes that tests start; a call for a torch
    that is there already. Nothing is imported.
    """
    threads = share(config)
    if threads is None:
        return
    if not _set_by_user(_OPENMP):
        os.environ["OMP_NUM_THREADS"] = str(threads)  # MKL and OpenBLAS read it, too.
        _limit_imported_torch(threads)
    if not _set_by_user(_RAYON):
        os.environ["RAYON_NUM_THREADS"] = str(threads)  # Read when a tokenizer first needs it.
    _LOGGER.debug("this worker's share of the cores is %d", threads)


def own_threads() -> int:
    """The threads that a session of ONNX Runtime is to have here.

    It reads none of the variables itself, and takes all cores of the machine.
    """
    said = (os.environ.get(name, "") for name in _OPENMP)
    return next((int(each) for each in said if each.isdigit() and int(each)), usable_cores())


def _set_by_user(variables: tuple[str, ...]) -> bool:
    return any(name in os.environ for name in variables)


def _limit_imported_torch(threads: int) -> None:
    torch = sys.modules.get("torch")
    if torch is None or not hasattr(torch, "get_num_threads"):  # The latter: somebody's stand-in.
        return
    now = torch.get_num_threads()
    if now in _torch_defaults() and now > threads:
        torch.set_num_threads(threads)


def _torch_defaults() -> set[int]:
    """The numbers that torch starts with; any other one, somebody has set.

    With MKL it is one per physical core. What somebody set to the same number looks the same.
    """
    cores = {allowed_cores(), os.cpu_count() or 1}
    return cores | {number // 2 for number in cores} if _may_have_hyperthreads() else cores


def _may_have_hyperthreads() -> bool:
    try:
        return _HYPERTHREADS.read_text(encoding="ascii").strip() == "1"
    except OSError:  # Only Linux says.
        return True
