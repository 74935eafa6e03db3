"""A session of ONNX Runtime in a new process: ours beside a plain one of the same graph.

Processor time of its creation and private memory after a first run, on one thread, with the page
cache warm. The plain session is of one file with its weights in it, as exporters write it and as
people open it; the graph that we keep has its weights beside it, and that alone is a row of parts.
"""

import tempfile
from pathlib import Path
from typing import Any

import full_size
from figures import Figure, of_pairs, table
from loading import said_by

from pytest_potmodels import onnx_export
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.onnx_export import OnnxModel
from pytest_potmodels.store.layout import Layout, entry_name

PROCESSES = 5
RESNET = "resnet50"
#: Of the processor time, and of the private memory.
GOALS = {RESNET: (0.2, 0.15), full_size.BERT: (0.35, 0.15)}
CHILD = Path(__file__).with_name("onnx_process.py")


def figures(cache: Path) -> list[Figure]:
    """All figures, over a cache that `full_size.write_cache` filled."""
    layout = Layout.at(cache)
    if not layout.entry(entry_name(ModelId("torchvision", RESNET))).exists():
        full_size.write_vision(layout, RESNET)
    found = []
    for name in GOALS:
        model = exported(cache, name)
        single = in_one_file(model, cache / "single" / name)
        in_process(cache, name, "ours", model.file)  # Makes our form, and writes .pyc files.
        said = [
            [in_process(cache, name, "stock", single), in_process(cache, name, "ours", model.file),
             in_process(cache, name, "stock", model.file)]
            for _ in range(PROCESSES)
        ]  # fmt: skip
        found += compared(name, said)
    return found


def compared(name: str, said: list[list[dict[str, Any]]]) -> list[Figure]:
    """The figures of one model: rounds of (plain, ours, plain with weights beside it)."""
    time_goal, memory_goal = GOALS[name]
    title = f"ONNX session {name}"
    beside = "a plain session"
    apart = "the same, weights beside the file"
    worst = max(abs(each[1]["sum"] - each[0]["sum"]) for each in said)
    return [
        of_pairs(f"{title}, CPU", pairs(said, "cpu", 0), "ms", time_goal, beside=beside),
        of_pairs(f"{title}, private", pairs(said, "mb", 0), "MB", memory_goal, beside=beside),
        of_pairs(f"{title}, CPU", pairs(said, "cpu", 2), "ms", None, beside=apart),
        of_pairs(f"{title}, private", pairs(said, "mb", 2), "MB", None, beside=apart),
        Figure(f"{title}, output difference", 1.0, worst, "", 0.0),
        Figure(f"{title}, imports of torch", 1.0, max(r[1]["torch"] for r in said), "", 0.0),
        of_pairs(f"{title}, a run", pairs(said, "run", 0), "ms", None, beside=beside),
    ]  # fmt: skip


def pairs(said: list[list[dict[str, Any]]], key: str, stock: int) -> list[tuple[float, float]]:
    """What the plain way and ours came to, round by round."""
    return [(each[stock][key], each[1][key]) for each in said]


def exported(cache: Path, name: str) -> OnnxModel:
    """The ONNX form of a model in that cache."""
    pipeline = full_size.pipeline_of(cache)
    return onnx_export.exported(pipeline, pipeline.catalog.request(name))


def in_one_file(model: OnnxModel, folder: Path) -> Path:
    """The same graph with its weights in it."""
    import onnx  # noqa: PLC0415 - its import takes a second, and help should not

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "model.onnx"
    onnx.save(onnx.load(model.file), file)
    return file


def in_process(cache: Path, name: str, way: str, file: Path) -> dict[str, Any]:
    """What a new process says."""
    return said_by(CHILD, str(cache), name, way, str(file))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        full_size.write_cache(Path(scratch))
        print(table(figures(Path(scratch))))


if __name__ == "__main__":
    main()
