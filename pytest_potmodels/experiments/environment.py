"""Where a run happened: what its numbers may depend on, and nothing that is secret."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_potmodels import extras

_PACKAGES = ("pytest-potmodels", "torch", "torchvision", "transformers", "numpy")
#: Variables that change numbers. A list of what is taken, because any other may hold a secret.
VARIABLES = (
    "ATEN_CPU_CAPABILITY", "CUBLAS_WORKSPACE_CONFIG", "CUDA_VISIBLE_DEVICES", "DNNL_MAX_CPU_ISA",
    "HF_HUB_OFFLINE", "KMP_AFFINITY", "KMP_BLOCKTIME", "MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS",
    "MKL_NUM_THREADS", "NVIDIA_TF32_OVERRIDE", "OMP_NUM_THREADS", "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_NUM_THREADS", "POT_MOCK", "POT_NETWORK", "POT_PRESET", "PYTHONHASHSEED",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE", "TRANSFORMERS_OFFLINE",
)  # fmt: skip
_PATIENCE = 20


def captured(*, device: str) -> dict[str, Any]:
    """The environment as it is now, in JSON's types; `device` is where the model is."""
    torch = extras.require("torch")
    return {
        "versions": _versions(),
        "system": f"{platform.system()} {platform.release()}",
        "machine": _machine(torch, device),
        "threads": torch.get_num_threads(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "git": of_git(Path.cwd()),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


def of_git(folder: Path) -> dict[str, Any] | None:
    """The commit of a folder, and whether tracked files differ from it; None without git."""
    commit = _git(folder, "rev-parse", "--verify", "HEAD")
    if commit is None:
        return None
    # Untracked files do not count: the results themselves are some.
    changes = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "dirty": None if changes is None else bool(changes)}


def _git(folder: Path, *words: str) -> str | None:
    program = shutil.which("git")
    if program is None:
        return None
    try:
        ended = subprocess.run(  # noqa: S603 - fixed words
            [program, *words],
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return ended.stdout.decode(errors="replace").strip()


def _versions() -> dict[str, str]:
    found = {
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
    }
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _machine(torch: Any, device: str) -> dict[str, Any]:
    facts = {
        "architecture": platform.machine(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
    }
    return {**facts, **_cuda(torch, device)} if device.startswith("cuda") else facts


def _cuda(torch: Any, device: str) -> Mapping[str, Any]:
    return {
        "device": torch.cuda.get_device_name(device),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }


def processor() -> str:
    """The processor's name as its maker writes it, as far as the system tells."""
    if sys.platform == "linux":
        with suppress(OSError):
            for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "model name":
                    return value.strip()
    if sys.platform == "darwin":
        with suppress(OSError, subprocess.SubprocessError):
            words = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            said = subprocess.run(words, capture_output=True, check=True, timeout=_PATIENCE)  # noqa: S603
            return said.stdout.decode(errors="replace").strip()
    return platform.processor() or platform.machine()
