"""On what was measured: rows of different machines are never compared."""

import hashlib
import json
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from pytest_potmodels.loading.budget import memory
from pytest_potmodels.verification.processes import usable_cores

_PACKAGES = ("pytest-potmodels", "torch", "torchvision", "transformers", "onnx", "onnxruntime")


def description() -> dict[str, str]:
    """The machine as far as times depend on it; no name that tells whose it is."""
    return {
        "processor": _processor(),
        "architecture": platform.machine(),
        "cores": str(usable_cores()),
        # What a container grants varies by a few pages from start to start.
        "memory_gb": str(round(memory() / 1e9)),
        "system": platform.system(),
    }


def key_of(machine: Mapping[str, str]) -> str:
    """Eight hex digits that tell machines apart."""
    text = json.dumps(dict(machine), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def versions() -> dict[str, str]:
    """Of Python and of the packages that computed."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    return found


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
