"""Seeds and switches under which the same function gives the same bits, and back again after it."""

import hashlib
import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from pytest_potmodels import extras

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


def derived_seed(seed: int, repeat: int) -> int:
    """The seed of a repeat, counted from 0.

    The first repeat has the seed itself. Each other has the first 32 bits, big-endian, of the
    SHA-256 of the text "SEED/REPEAT" ("42/1"): repeats of neighbouring seeds share none.
    """
    if repeat == 0:
        return seed
    digest = hashlib.sha256(f"{seed}/{repeat}".encode()).digest()
    return int.from_bytes(digest[:4], "big")


@contextmanager
def reproducible(seed: int, *, threads: int | None, deterministic: str) -> Iterator[None]:
    """Seed Python, numpy and torch (all devices); all that is changed here comes back.

    Args:
        seed: of all generators.
        threads: of torch on the CPU; None leaves them.
        deterministic: "require", "warn" or "off".
    """
    torch, numpy = extras.require("torch"), extras.require("numpy")
    with ExitStack() as stack:
        for kept in (_python(), _numpy(numpy), _torch(torch), _threads(torch, threads)):
            stack.enter_context(kept)
        if deterministic != "off":
            stack.enter_context(_algorithms(torch, warn_only=deterministic == "warn"))
        random.seed(seed)
        # The global generator is what the user's libraries draw from.
        numpy.random.seed(seed)
        torch.manual_seed(seed)
        yield


@contextmanager
def _python() -> Iterator[None]:
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)


@contextmanager
def _numpy(numpy: Any) -> Iterator[None]:
    state = numpy.random.get_state(legacy=False)
    try:
        yield
    finally:
        numpy.random.set_state(state)


@contextmanager
def _torch(torch: Any) -> Iterator[None]:
    state = torch.get_rng_state()
    # Reading a GPU's state would start CUDA in a process that may still have to fork.
    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None
    try:
        yield
    finally:
        torch.set_rng_state(state)
        if devices is not None:
            torch.cuda.set_rng_state_all(devices)


@contextmanager
def _threads(torch: Any, count: int | None) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _algorithms(torch: Any, *, warn_only: bool) -> Iterator[None]:
    mode = torch.get_deterministic_debug_mode()
    cudnn = torch.backends.cudnn
    flags, workspace = (cudnn.deterministic, cudnn.benchmark), os.environ.get(_CUBLAS)
    # cuBLAS reads it when CUDA starts; without it torch refuses its products on older CUDA.
    os.environ.setdefault(_CUBLAS, ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=warn_only)  # noqa: FBT003 - torch's own
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        cudnn.deterministic, cudnn.benchmark = flags
        if workspace is None:
            os.environ.pop(_CUBLAS, None)
