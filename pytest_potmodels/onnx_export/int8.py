"""The int8 variant of a model's ONNX file: made once per machine, compared with the file first.

The weights of matrix products are in eight bits. That suits transformers: convolutions in eight
bits are slower on a CPU, and wrong.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.errors import ModelConversionError, UsageError
from pytest_potmodels.onnx_export import process
from pytest_potmodels.onnx_export.failures import Failures
from pytest_potmodels.onnx_export.ladder import Limits
from pytest_potmodels.onnx_export.onnx_model import OnnxModel
from pytest_potmodels.store import plain_json
from pytest_potmodels.store.derived import DerivedModel, DerivedStore

_log = logging.getLogger(__name__)

#: Counts up when the way of quantising, or the gate, changes.
_SCHEMA = 2
_CHILD = "pytest_potmodels.onnx_export.int8_child"
_MARGIN = 16 << 20
#: Bytes for the libraries, and for each byte of the file: the quantiser holds it several times.
_BASE, _TIMES = 2 << 30, 8


@dataclass(frozen=True)
class Int8:
    """A file that has passed the gate."""

    file: Path
    #: One sha256 over the files.
    digest: str
    size: int
    #: "dynamic", "blocks" or "weights": the first way that passed.
    way: str
    #: Per output, how nearly it points where the file's own does: 1 is the same direction.
    cosine: Mapping[str, float]


def int8(
    model: OnnxModel,
    stored: StoredModel,
    derived: DerivedStore,
    *,
    timeout: float,
    memory: int | None = None,
    on_line: Callable[[str], None] | None = None,
) -> Int8:
    """Give the int8 variant; a child process makes it while others wait.

    Args:
        model: the ONNX form of `stored`.
        stored: the model itself.
        derived: where the variant is kept.
        timeout: seconds, also to wait for another process that makes the same.
        memory: bytes that the child may take; None: 2 GB and eight times the file.
        on_line: told how far it is.

    Raises:
        UsageError: there is no matrix product in the model to gain by.
        ModelConversionError: the variant is too far from the model, or a limit was reached.
        StoreError: the cache folder does not take the file.
    """
    for package in ("onnx", "onnxruntime", "psutil"):
        extras.require_installed(package)
    versions = {name: metadata.version(name) for name in ("onnx", "onnxruntime")}
    key = _key(model, versions)
    limits = Limits(timeout, memory or _BASE + _TIMES * model.size)
    if found := derived.find(key):
        return _described(found)
    failures = Failures(derived, key, versions, limits)
    failures.check()
    write = failures.kept(lambda to: _made(model, stored, to, limits, on_line or _log.info))
    room = model.size + _MARGIN
    return _described(derived.admit(key, stored, versions, write, timeout=timeout, room=room))


def _key(model: OnnxModel, versions: Mapping[str, str]) -> str:
    inputs = {"schema": _SCHEMA, "digest": model.digest, "versions": dict(versions)}
    text = json.dumps(inputs, sort_keys=True)
    return f"onnx-int8-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def _order(model: OnnxModel, stored: StoredModel, folder: Path) -> dict[str, Any]:
    return {
        "file": str(model.file),
        "folder": str(folder),
        "inputs": [[each.name, each.dtype, list(each.axes)] for each in model.inputs],
        "shapes": [dict(shape) for shape in model.shapes],
        "vocabulary": _vocabulary(stored),
    }


def _vocabulary(stored: StoredModel) -> int:
    """How many words an input may name; as many as any model knows where nothing is said."""
    file = stored.path / "config.json"
    if "config.json" not in {each.path for each in stored.files}:
        return 100
    said = plain_json.parsed(file.read_bytes())
    parts = (said, said.get("text_config")) if isinstance(said, dict) else ()
    sizes = [part.get("vocab_size") for part in parts if isinstance(part, dict)]
    return next((size for size in sizes if isinstance(size, int) and size > 0), 100)


def _made(
    model: OnnxModel, stored: StoredModel, folder: Path, most: Limits, say: Callable[[str], None]
) -> dict[str, Any]:
    """What the child says of the file that it wrote.

    Raises:
        UsageError: there is nothing to quantise.
        ModelConversionError: it is too far from the model, or a limit was reached.
    """
    until = process.Limits(time.monotonic() + most.seconds, most.memory)
    ended = process.run(_CHILD, lambda _scratch: _order(model, stored, folder), folder, until, say)
    match ended.kind:
        case "done":
            return dict(ended.facts or {})
        case "useless":
            raise UsageError(
                f"{stored.id}: variant='int8': {ended.why}.", remedy="leave the variant out"
            )
        case "far":
            raise ModelConversionError(f"the int8 variant of {stored.id} is refused: {ended.why}.")
        case "timeout":
            raise ModelConversionError(
                f"{stored.id} was not quantised within {most.seconds:g} s.",
                remedy="give it more time: --pot-timeout SECONDS",
            )
    raise ModelConversionError(f"{stored.id} was not quantised: {ended.why}.")


def _described(found: DerivedModel) -> Int8:
    digest = digest_of_files({each.path: each.sha256 for each in found.files})
    facts = found.facts
    return Int8(found.path / facts["file"], digest, found.size, str(facts["way"]), facts["cosine"])
