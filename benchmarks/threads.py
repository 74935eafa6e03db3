"""A ResNet-18 forward pass in two pytest workers at once, beside one process alone.

Each worker of pytest-xdist takes all cores if nobody tells it otherwise, and then waits for the
other at every barrier of OpenMP. The plugin gives each its share. As many workers as cores; the
process alone has one thread. In turns, several times. On a machine that others use, too, wall
times say little, and processor times show whether the workers get in each other's way.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from figures import Figure, of_pairs, table

ROUNDS = 5
WORKERS = 2
GOAL = 1.3
CONFTEST = """
from pytest_potmodels.loading.torchvision_guard import import_torchvision
import_torchvision()  # One that was built for another torch cannot be imported plainly.
"""
TEST = """
import json
import pathlib
import time

import pytest
import torch
from torchvision.models import resnet18

WORKERS = {workers}

@pytest.mark.pot_model("resnet18")  # Nothing is loaded by it: it makes this a run with models.
@pytest.mark.parametrize("number", range(WORKERS))
def test_forward(number, tmp_path_factory):
    model, image = resnet18(weights=None).eval(), torch.zeros(1, 3, 224, 224)
    here = pathlib.Path("{here}")
    (here / f"arrived-{{number}}").touch()
    while len(list(here.glob("arrived-*"))) < WORKERS:  # All compute at the same time.
        time.sleep(0.001)
    times = []
    end = time.monotonic() + 4
    with torch.inference_mode():
        while time.monotonic() < end:
            started = time.perf_counter(), time.process_time()
            model(image)
            ended = time.perf_counter(), time.process_time()
            times.append([1000 * (after - before) for before, after in zip(started, ended)])
    (here / f"times-{{number}}").write_text(json.dumps(times))
"""
INI = "[pytest]\nmarkers =\n    pot_model: x\n"
#: Workers, options, environment.
WAYS: list[tuple[int, list[str], dict[str, str]]] = [
    (1, ["-n0"], {"OMP_NUM_THREADS": "1"}),
    (WORKERS, [f"-n{WORKERS}"], {}),
    (WORKERS, [f"-n{WORKERS}", "-p", "no:potmodels"], {}),
]


@dataclass(frozen=True)
class Passes:
    """Milliseconds of a median pass."""

    wall: float
    processor: float


def figures() -> list[Figure]:
    """Wall and processor time with the plugin."""
    return in_figures(turns())


def in_figures(times: list[list[Passes]]) -> list[Figure]:
    """The plugin, beside one process alone."""
    wall = [(alone.wall, ours.wall) for alone, ours, _ in times]
    processor = [(alone.processor, ours.processor) for alone, ours, _ in times]
    name = f"resnet18 forward, {WORKERS} workers"
    beside = "one process, one thread"
    return [
        of_pairs(name, wall, "ms", GOAL, beside=beside),
        of_pairs(f"{name}, processor time", processor, "ms", GOAL, beside=beside),
    ]


def turns() -> list[list[Passes]]:
    """One process alone, workers with the plugin, and workers as xdist leaves them."""
    return [[forward(*way) for way in WAYS] for _ in range(ROUNDS)]


def main() -> None:
    """Measure and print."""
    times = turns()
    without = statistics.median(theirs.wall / alone.wall for alone, _, theirs in times)
    print(table(in_figures(times)))
    print(f"workers without the plugin: {without:.1f} times the wall time of one process")


def forward(workers: int, options: list[str], environment: dict[str, str]) -> Passes:
    """The median of all passes of all workers."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        (here / "pytest.ini").write_text(INI)
        (here / "conftest.py").write_text(CONFTEST)
        test = TEST.format(here=here.as_posix(), workers=workers)
        (here / "test_forward.py").write_text(test)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
        clean = {k: v for k, v in os.environ.items() if not k.endswith("_NUM_THREADS")}
        ran = subprocess.run(
            command, cwd=here, env={**clean, "POT_NETWORK": "block", **environment},
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode:
            sys.exit(ran.stdout + ran.stderr)
        said = [json.loads(path.read_text()) for path in here.glob("times-*")]
    wall, processor = zip(*(pair for times in said for pair in times), strict=True)
    return Passes(statistics.median(wall), statistics.median(processor))


if __name__ == "__main__":
    main()
