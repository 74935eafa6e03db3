"""PyTorch beside ONNX Runtime, of the latest rows of each model: never across machines."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_potmodels.verification.benchmark.row import Row


@dataclass(frozen=True)
class Compared:
    """The latest rows of one model, file and size of input on one machine."""

    model_id: str
    file_path: str
    machine_key: str
    threads: int
    inputs: str
    torch: Row | None = None
    onnxruntime: Row | None = None

    @property
    def speedup(self) -> float | None:
        """How many times as fast ONNX Runtime is, at the median."""
        if self.torch is None or self.onnxruntime is None or not self.onnxruntime.p50_ms:
            return None
        return self.torch.p50_ms / self.onnxruntime.p50_ms


def compared(rows: Sequence[Row]) -> list[Compared]:
    """The rows that went well, side by side; of several of one kind the last in time."""
    groups: dict[tuple[str, str, str, int, str], dict[str, Row]] = {}
    for row in sorted(rows, key=lambda each: each.time):
        if row.status == "ok":
            shapes = " ".join(f"{name}:{shape}" for name, shape in sorted(row.inputs.items()))
            key = (row.model_id, row.file_path, row.machine_key, row.threads, shapes)
            groups.setdefault(key, {})[row.backend] = row
    found = [
        Compared(*key, torch=pair.get("torch"), onnxruntime=pair.get("onnxruntime"))
        for key, pair in ((key, _of_one_file(pair)) for key, pair in groups.items())
    ]
    return sorted(found, key=lambda each: (each.machine_key, each.model_id, each.file_path))


def _of_one_file(pair: dict[str, Row]) -> dict[str, Row]:
    """The rows, but for those of an earlier export or revision than the latest one's."""
    latest = max(pair.values(), key=lambda each: each.time)
    alike = (latest.digest, latest.revision)
    return {name: row for name, row in pair.items() if (row.digest, row.revision) == alike}


def machines(rows: Sequence[Row]) -> dict[str, str]:
    """Key -> the machine in words."""
    found = {}
    for row in rows:
        facts = row.machine
        words = f"{facts.get('processor', '?')}, {facts.get('cores', '?')} cores"
        found[row.machine_key] = (
            f"{words}, {facts.get('memory_gb', '?')} GB, {facts.get('system', '?')}"
        )
    return found
