"""Acquire, load, infer: the times of one framework, in a process that does nothing else."""

import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from pytest_potmodels import extras
from pytest_potmodels.onnx_export import OnnxModel
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.verification import obtaining, outcome
from pytest_potmodels.verification.benchmark import feeding, machine
from pytest_potmodels.verification.benchmark.how import How
from pytest_potmodels.verification.job import Job, pipeline_of
from pytest_potmodels.verification.processes import usable_cores
from pytest_potmodels.verification.wanted import Wanted

_MB = 1024 * 1024

Call = Callable[[], Any]


def done(job: Job, say: Callable[[str], None] | None) -> dict[str, Any]:
    """The job "measure": the figures of a row, or the problem, with where it was measured."""
    where = machine.description()
    about = {"machine": where, "machine_key": machine.key_of(where), "versions": machine.versions()}
    what = dict(job.what)
    backend, wanted, how = what["backend"], Wanted(**what["wanted"]), How(**what["how"])
    how = replace(how, threads=how.threads or usable_cores())
    if say is not None:
        say(f"{wanted.model_id}: measuring {backend}")
    try:
        pipeline = pipeline_of(job)
        model, _ = obtaining.obtained(pipeline, wanted)
        return {**about, **_FRAMEWORKS[backend](pipeline, wanted, model, how)}
    except Exception as error:  # noqa: BLE001 - one failure among many is a value
        return {**about, "problem": asdict(outcome.problem_of(error))}


def _with_torch(pipeline: Pipeline, wanted: Wanted, model: OnnxModel, how: How) -> dict[str, Any]:
    request = pipeline.catalog.request(wanted.model_id)
    acquired, stored = _timed(lambda: pipeline.acquire(request))
    built_by = "torchvision" if request.architecture else stored.format
    imported, torch = _timed(lambda: _torch_and(built_by))
    torch.set_num_threads(how.threads)
    before = _memory()
    loaded, held = _timed(lambda: pipeline.load(stored, request, device="cpu"))
    fed = feeding.arrays(model, batch=how.batch)
    tensors = {name: torch.from_numpy(array) for name, array in fed.items()}

    def call() -> None:
        with torch.inference_mode():
            held.model(**tensors)

    times = {"import_s": imported, "acquire_s": acquired, "load_s": loaded}
    return {**times, **_figures(call, how, before), "inputs": feeding.shapes(fed)}


def _torch_and(built_by: str) -> Any:
    """PyTorch, once it and what builds the model are imported: neither is the model's own cost."""
    torch = extras.require("torch")
    from pytest_potmodels.loading import torchvision_guard  # noqa: PLC0415 - imports torch itself

    if built_by == "torchvision":
        torchvision_guard.import_torchvision()
    if built_by == "transformers":
        torchvision_guard.import_transformers()
        extras.require("transformers.modeling_utils")
    return torch


def _with_onnxruntime(
    pipeline: Pipeline, wanted: Wanted, model: OnnxModel, how: How
) -> dict[str, Any]:
    imported, runtime = _timed(lambda: extras.require("onnxruntime"))
    before = _memory()
    acquired, _ = _timed(lambda: obtaining.obtained(pipeline, wanted))
    options = runtime.SessionOptions()
    options.intra_op_num_threads = how.threads
    options.log_severity_level = 3
    loaded, session = _timed(
        lambda: runtime.InferenceSession(model.file, options, providers=["CPUExecutionProvider"])
    )
    fed = feeding.arrays(model, batch=how.batch)
    times = {"import_s": imported, "acquire_s": acquired, "load_s": loaded}
    figures = _figures(lambda: session.run(None, fed), how, before)
    return {**times, **figures, "inputs": feeding.shapes(fed)}


_FRAMEWORKS = {"torch": _with_torch, "onnxruntime": _with_onnxruntime}


def _figures(call: Call, how: How, before: int) -> dict[str, Any]:
    for _ in range(how.warmup):
        call()
    times = []
    for _ in range(how.runs):
        began = time.perf_counter_ns()
        call()
        times.append((time.perf_counter_ns() - began) / 1e6)
    return {
        "mean_ms": round(sum(times) / len(times), 4),
        **{f"p{share}_ms": round(percentile(times, share), 4) for share in (50, 90, 99)},
        "runs": how.runs,
        "warmup": how.warmup,
        "threads": how.threads,
        "memory_mb": round(max(0, _memory() - before) / _MB, 1),
        "peak_mb": round(_peak() / _MB, 1),
    }


def percentile(times: list[float], share: int) -> float:
    """The time below which this share of all lies, between neighbours by their distance."""
    ordered = sorted(times)
    place = (len(ordered) - 1) * share / 100
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def _timed(step: Call) -> tuple[float, Any]:
    began = time.perf_counter()
    result = step()
    return round(time.perf_counter() - began, 6), result


def _memory() -> int:
    return int(extras.require("psutil").Process().memory_info().rss)


def _peak() -> int:
    """The most that this process had in memory."""
    info = extras.require("psutil").Process().memory_info()
    if sys.platform == "win32":
        return int(info.peak_wset)
    if sys.platform == "linux":
        # Not getrusage: on Linux it begins with what the process had before exec, the parent's.
        for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return int(info.rss)
