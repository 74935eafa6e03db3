"""The form of a graph that opens fast and whose weights all processes share.

ONNX Runtime optimises the graph once and writes it, with its weights as the processor's kernels
want them, into files that are mapped from then on. They are of one version and one processor.
"""

import hashlib
import json
import logging
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import onnxruntime

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.errors import StoreError, UnavailableError
from pytest_potmodels.loading.onnx_files import OnnxFiles
from pytest_potmodels.loading.onnx_session import open_session, session_options
from pytest_potmodels.store.derived import DerivedModel, DerivedStore

_log = logging.getLogger(__name__)

#: Counts up when the way of writing changes.
_SCHEMA = 1
_MODEL = "model.onnx"
_DATA = "model.onnx.data"
#: Bytes of a graph from which it pays: a smaller one opens faster than a second folder is checked.
LEAST = 4 << 20
#: The written weights are up to twice the size; the rest is the graph.
_TIMES, _MARGIN = 2, 8 << 20
_CPUINFO = Path("/proc/cpuinfo")
_SETTINGS: Mapping[str, str] = {
    "session.optimized_model_external_initializers_file_name": _DATA,
    "session.optimized_model_external_initializers_min_size_in_bytes": "1024",
    "session.save_external_prepacked_constant_initializers": "1",
}


@dataclass(frozen=True, eq=False)
class Opened:
    """A session, and why its weights are not shared; "" if they are, or are few."""

    session: Any
    not_shared: str = ""


@dataclass(frozen=True, eq=False)
class Optimiser:
    """Opens graphs of one store by their optimised form, and makes it where there is none."""

    derived: DerivedStore
    #: Seconds to wait for another process that makes the same.
    timeout: float
    threads: int

    def open(self, files: OnnxFiles, stored: StoredModel) -> Opened:
        """A session of the graph; where no other form can be had, of the file as it is.

        Raises:
            UnavailableError: NOT_LOADABLE; ONNX Runtime refuses the file itself.
        """
        if files.size < LEAST:
            return Opened(self._plain(files))
        try:
            found = self._made(files, stored)
            options = session_options(self.threads)
            options.graph_optimization_level = _level().ORT_DISABLE_ALL  # It is optimised already.
            file = found.path / _MODEL
            session = open_session(file, threads=self.threads, device="cpu", options=options)
        except (StoreError, UnavailableError) as error:
            session = self._plain(files)  # If the file itself is at fault, this says so.
            _log.warning("%s: each process has its own weights: %s", files.file, error.message)
            return Opened(session, error.message)
        return Opened(session)

    def _plain(self, files: OnnxFiles) -> Any:
        return open_session(files.file, threads=self.threads, device="cpu")

    def _made(self, files: OnnxFiles, stored: StoredModel) -> DerivedModel:
        key = key_of(files)
        return self.derived.find(key) or self.derived.admit(
            key,
            stored,
            {"onnxruntime": onnxruntime.__version__},
            lambda folder: _write(files, folder),
            timeout=self.timeout,
            room=_TIMES * files.size + _MARGIN,
        )


def key_of(files: OnnxFiles) -> str:
    """A name for all that the written files depend on."""
    inputs = {
        "schema": _SCHEMA,
        "digest": files.digest,
        "onnxruntime": onnxruntime.__version__,
        "processor": _processor(),
        "level": "all",
        "byteorder": sys.byteorder,
    }
    text = json.dumps(inputs, sort_keys=True)
    return f"session-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def _write(files: OnnxFiles, folder: Path) -> dict[str, Any]:
    """Fill a folder of the store.

    Raises:
        UnavailableError: ONNX Runtime does not write it.
    """
    options = session_options(1)
    options.graph_optimization_level = _level().ORT_ENABLE_ALL
    options.optimized_model_filepath = str(folder / _MODEL)
    for name, value in _SETTINGS.items():
        options.add_session_config_entry(name, value)
    open_session(files.file, threads=1, device="cpu", options=options)
    return {"level": "all", "processor": _processor()}


def _level() -> Any:
    return onnxruntime.GraphOptimizationLevel


@cache
def _processor() -> str:
    """What the processor can do: kernels are chosen by it, and each wants its own order."""
    try:
        lines = _CPUINFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # Only Linux says.
        lines = []
    flags = [line for line in lines if line.startswith(("flags", "Features", "isa"))]
    said = f"{sorted(flags[0].split()) if flags else platform.processor()}"
    return f"{platform.machine()}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"
