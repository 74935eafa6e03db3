"""One measurement of one model with one framework, and all that it may depend on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, get_type_hints

from pytest_potmodels.errors import UsageError
from pytest_potmodels.verification.benchmark.machine import key_of
from pytest_potmodels.verification.outcome import Problem, Verification

SCHEMA = 1


@dataclass(frozen=True)
class Row:
    """A line of the results; times are of a process of its own, after its imports."""

    schema: int
    #: Of the run that it belongs to, and when it was measured (UTC).
    run: str
    time: str
    model_id: str
    file_path: str
    #: "torch" or "onnxruntime"; "" where there was no file to measure.
    backend: str
    #: "ok" or "failed".
    status: str
    error: str = ""
    #: What mends it.
    remedy: str = ""
    #: The class of the error, and its code for scripts.
    kind: str = ""
    reason: str = ""
    model_type: str = ""
    detected_by: str = ""
    #: Of the ONNX file: "original" (the hub's), "converted" (from PyTorch), or "".
    source: str = ""
    was_converted: bool = False
    revision: str = ""
    digest: str = ""
    path: str = ""
    opset: int = 0
    rung: str = ""
    worst_error: float = 0.0
    import_s: float = 0.0
    acquire_s: float = 0.0
    load_s: float = 0.0
    mean_ms: float = 0.0
    p50_ms: float = 0.0
    p90_ms: float = 0.0
    p99_ms: float = 0.0
    runs: int = 0
    warmup: int = 0
    threads: int = 0
    #: Memory that the model took, and the most that its process had.
    memory_mb: float = 0.0
    peak_mb: float = 0.0
    #: Input -> shape, as text.
    inputs: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: Mapping[str, str] = field(default_factory=dict)
    #: One short digest of `machine`: only rows with the same one are compared.
    machine_key: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain values; `from_json` takes them back."""
        return asdict(self)


#: The columns that are no mappings.
TYPES = {
    name: kind for name, kind in get_type_hints(Row).items() if kind in (int, float, str, bool)
}


def from_json(said: Any) -> Row:
    """A row as it was written.

    Raises:
        UsageError: it is none, or of another version.
    """
    if not isinstance(said, Mapping) or said.get("schema") != SCHEMA:
        raise UsageError(f"it is no row of schema {SCHEMA}")
    names = {each.name for each in fields(Row)}
    if strange := sorted(set(said) - names) + sorted(names - set(said)):
        raise UsageError(f"it has other keys than a row: {', '.join(map(str, strange[:3]))}")
    for name, value in said.items():
        kind = TYPES.get(name, Mapping)
        fits = isinstance(value, int | float) if kind is float else isinstance(value, kind)
        if not fits:
            raise UsageError(f"its {name} is {value!r}")
    if said["machine"] and key_of(said["machine"]) != said["machine_key"]:
        raise UsageError(f"its machine_key {said['machine_key']!r} is another machine's")
    return Row(**said)


def of_problem(problem: Problem | None) -> dict[str, str]:
    """What a row says of what went wrong; nothing where nothing did."""
    if problem is None:
        return {}
    said = {"error": problem.message, "remedy": problem.remedy}
    return {**said, "kind": problem.kind, "reason": problem.reason}


def facts_of(found: Verification) -> dict[str, Any]:
    """What a row says of the file that it is about."""
    problem = found.problem
    return {
        "model_id": found.wanted.model_id,
        "file_path": found.wanted.file_path,
        "model_type": found.model_type,
        "detected_by": found.detected_by,
        "source": found.source or "",
        "was_converted": found.was_converted,
        "revision": found.revision or "",
        "digest": found.digest,
        "path": str(found.path or ""),
        "opset": found.opset,
        "rung": found.rung,
        "worst_error": found.worst_error,
        **of_problem(problem),
    }
