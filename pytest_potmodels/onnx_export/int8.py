"""The int8 variant of a model's ONNX file: made once per machine, compared with the file first.

The weights of matrix products are in eight bits. That suits transformers: convolutions in eight
bits are slower on a CPU, and wrong.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.errors import ModelConversionError, UsageError
from pytest_potmodels.onnx_export.onnx_model import OnnxModel
from pytest_potmodels.onnx_export.process import environment
from pytest_potmodels.store.derived import DerivedModel, DerivedStore

#: Counts up when the way of quantising, or the gate, changes.
_SCHEMA = 1
_CHILD = "pytest_potmodels.onnx_export.int8_child"
_MARGIN = 16 << 20
_SHOWN = 300


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


def int8(model: OnnxModel, stored: StoredModel, derived: DerivedStore, *, timeout: float) -> Int8:
    """Give the int8 variant; a child process makes it while others wait.

    Args:
        model: the ONNX form of `stored`.
        stored: the model itself.
        derived: where the variant is kept.
        timeout: seconds, also to wait for another process that makes the same.

    Raises:
        UsageError: there is no matrix product in the model to gain by.
        ModelConversionError: the variant is too far from the model, or the time was over.
        StoreError: the cache folder does not take the file.
    """
    for package in ("onnx", "onnxruntime"):
        extras.require_installed(package)
    versions = {name: metadata.version(name) for name in ("onnx", "onnxruntime")}
    key = _key(model, versions)
    found = derived.find(key) or derived.admit(
        key,
        stored,
        versions,
        lambda folder: _made(_order(model, stored, folder), timeout),
        timeout=timeout,
        room=model.size + _MARGIN,
    )
    return _described(found)


def _key(model: OnnxModel, versions: Mapping[str, str]) -> str:
    inputs = {"schema": _SCHEMA, "digest": model.digest, "versions": dict(versions)}
    text = json.dumps(inputs, sort_keys=True)
    return f"onnx-int8-{hashlib.sha256(text.encode()).hexdigest()[:20]}"


def _order(model: OnnxModel, stored: StoredModel, folder: Path) -> dict[str, Any]:
    return {
        "parent": os.getpid(),
        "name": str(stored.id),
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
    said = json.loads(file.read_text(encoding="utf-8"))
    text = said.get("text_config") or {}
    return int(said.get("vocab_size") or text.get("vocab_size") or 100)


def _made(order: dict[str, Any], timeout: float) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="potmodels-int8-") as scratch:
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-W", "ignore", "-P", "-m", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=scratch,
            env=environment(os.environ),
        )
        with child:
            try:
                said, errors = _answer(child, json.dumps(order).encode() + b"\n", timeout)
            except subprocess.TimeoutExpired:
                raise ModelConversionError(
                    f"{order['name']} was not quantised within {timeout:g} s.",
                    remedy="give it more time: --pot-timeout SECONDS",
                ) from None
            finally:
                child.kill()
    return _facts(order["name"], said, errors)


def _answer(child: "subprocess.Popen[bytes]", order: bytes, timeout: float) -> tuple[bytes, bytes]:
    """What the child says; its input stays open, because its end would be ours."""
    assert child.stdin is not None  # noqa: S101 - it is a pipe
    child.stdin.write(order)
    child.stdin.flush()
    stdin, child.stdin = child.stdin, None  # communicate() would close it.
    try:
        return child.communicate(timeout=timeout)
    finally:
        stdin.close()


def _facts(name: str, said: bytes, errors: bytes) -> dict[str, Any]:
    lines = said.splitlines()
    answer: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    match answer:
        case {"done": dict(facts)}:
            return facts
        case {"useless": str(why)}:
            raise UsageError(f"{name}: variant='int8': {why}.", remedy="leave the variant out")
        case {"failed": str(why)}:
            raise ModelConversionError(f"the int8 variant of {name} is refused: {why}.")
    last = errors.decode("utf-8", "replace").strip().splitlines()[-1:]
    raise ModelConversionError(f"{name} was not quantised: {''.join(last)[:_SHOWN]}")


def _described(found: DerivedModel) -> Int8:
    digest = digest_of_files({each.path: each.sha256 for each in found.files})
    facts = found.facts
    return Int8(found.path / facts["file"], digest, found.size, str(facts["way"]), facts["cosine"])
