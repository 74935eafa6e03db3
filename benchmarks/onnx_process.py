"""One ONNX session in a process of its own: its creation, its memory, a run.

python onnx_process.py CACHE MODEL stock|ours FILE     # prints JSON

Milliseconds of processor time on one thread, after all imports; megabytes of private memory.
"""

import json
import os
import statistics
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import onnxruntime

from pytest_potmodels.catalog.reader import build_catalog
from pytest_potmodels.pipeline import open_pipeline
from pytest_potmodels.session.onnx_form import OnnxForms
from pytest_potmodels.settings.resolution import resolve

RUNS = 7


def main(cache: Path, name: str, way: str, file: Path) -> dict[str, Any]:
    """Measure, in this process."""
    make = ours(cache, name) if way == "ours" else partial(plain, file)
    before, started = private_mb(), time.process_time()
    session = make()
    spent = 1000 * (time.process_time() - started)
    fed = {each.name: sample(each) for each in session.get_inputs()}
    total = sum(float(np.asarray(each, "float64").sum()) for each in session.run(None, fed))
    said = {"cpu": spent, "mb": private_mb() - before, "sum": total}
    return {**said, "torch": int("torch" in sys.modules), "run": run_ms(session, fed)}


def plain(file: Path) -> Any:
    """A session as people make one, on one thread."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])


def ours(cache: Path, name: str) -> Any:
    """The way of the fixture: the stored model, its ONNX form, the session."""
    settings = resolve({"cache_dir": cache, "offline": True}, {}, cache)
    pipeline = open_pipeline(settings, catalog=build_catalog({}, settings.where))
    request = pipeline.catalog.request(name)
    # What any run with models imports is not the session's.
    __import__("pytest_potmodels.loading.onnx_optimised")
    __import__("pytest_potmodels.loading.onnx_parts")
    return lambda: OnnxForms(pipeline).obtain(request).model


def sample(node: Any) -> Any:
    """An input of batch 1 and 32 words."""
    shape = [axis if isinstance(axis, int) else (1, 32)[place] for place, axis in
             enumerate(node.shape)]  # fmt: skip
    if "int" in node.type:
        return np.ones(shape, "int64")
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def run_ms(session: Any, fed: dict[str, Any]) -> float:
    """The median of some runs."""
    taken = []
    for _ in range(RUNS):
        started = time.process_time()
        session.run(None, fed)
        taken.append(1000 * (time.process_time() - started))
    return statistics.median(taken)


def private_mb() -> float:
    """Memory that no other process can share, as Linux states it; NaN elsewhere."""
    try:
        lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    except OSError:
        return float("nan")
    return next(int(line.split()[1]) for line in lines if line.startswith("Anonymous:")) / 1024


if __name__ == "__main__":
    _, folder, model, by, graph = sys.argv
    print(json.dumps(main(Path(folder), model, by, Path(graph))))
