"""Seeds and switches under which the same function gives the same bits, and back again after it."""

import hashlib
import os
import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from pytest_potmodels import extras

_CUBLAS = "CUBLAS_WORKSPACE_CONFIG"
_INDUCTOR = "torch._inductor.config"


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
    """Seed Python, numpy and torch (all devices); what is changed here or inside comes back.

    Else one repeat would begin where another has left off. What comes back: generators, threads,
    torch's switches and defaults, the working folder, the folders that modules are found in.

    Args:
        seed: of all generators.
        threads: of torch on the CPU; None leaves them.
        deterministic: "require", "warn" or "off".
    """
    torch, numpy = extras.require("torch"), extras.require("numpy")
    with ExitStack() as stack:
        generators = (_python(), _numpy(numpy), _torch(torch))
        for kept in (*generators, _threads(torch, threads), _switches(torch), _places()):
            stack.enter_context(kept)
        if deterministic != "off":
            _require_determinism(torch, warn_only=deterministic == "warn")
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
def _switches(torch: Any) -> Iterator[None]:
    mode, cudnn = torch.get_deterministic_debug_mode(), torch.backends.cudnn
    flags, workspace = (cudnn.deterministic, cudnn.benchmark), os.environ.get(_CUBLAS)
    kind, precision = torch.get_default_dtype(), torch.get_float32_matmul_precision()
    gradients, compiler = torch.is_grad_enabled(), _of_compiler()
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(mode)
        # torch sets it with the mode, and does not take it back with the mode.
        if (inductor := sys.modules.get(_INDUCTOR)) is not None and compiler is not None:
            inductor.deterministic = compiler  # type: ignore[attr-defined]
        cudnn.deterministic, cudnn.benchmark = flags
        torch.set_default_dtype(kind)
        torch.set_float32_matmul_precision(precision)
        torch.set_grad_enabled(gradients)
        os.environ.pop(_CUBLAS, None)
        if workspace is not None:
            os.environ[_CUBLAS] = workspace


def _of_compiler() -> bool | None:
    """Whether torch.compile is to make deterministic code; None where this torch does not ask."""
    inductor = sys.modules.get(_INDUCTOR)
    return getattr(inductor, "deterministic", None) if inductor is not None else False


def _require_determinism(torch: Any, *, warn_only: bool) -> None:
    # cuBLAS reads it when CUDA starts; without it torch refuses its products on older CUDA.
    os.environ.setdefault(_CUBLAS, ":4096:8")
    torch.use_deterministic_algorithms(True, warn_only=warn_only)  # noqa: FBT003 - torch's own
    torch.backends.cudnn.deterministic, torch.backends.cudnn.benchmark = True, False


@contextmanager
def _places() -> Iterator[None]:
    folder, path = Path.cwd(), list(sys.path)
    try:
        yield
    finally:
        os.chdir(folder)
        sys.path[:] = path
