"""Weights in memory with four workers of pytest-xdist: BERT-base, all of it read.

The proportional set size (PSS) that the kernel states for each worker: a page that four
processes share counts as a quarter for each. What the workers take without a model is subtracted.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import full_size
import torch
from figures import Figure, table
from safetensors.torch import load_file

WORKERS = 4
GOAL = 1.15
TEST = """
import pathlib
import time

import pytest
import torch

HERE, WORKERS, WEIGHTS = pathlib.Path("{here}"), {workers}, "{weights}"


def plain():
    import transformers
    model = transformers.BertModel(transformers.BertConfig(num_hidden_layers=0, vocab_size=8))
    if "{way}" != "nothing":
        model = transformers.BertModel(transformers.BertConfig())
        model.load_state_dict(torch.load(WEIGHTS, weights_only=True), strict=False)
    return model


@pytest.mark.pot_model("bert-base-uncased")
@pytest.mark.parametrize("number", range(WORKERS))
def test_it(pot_models, number):
    ours = pot_models.load("bert-base-uncased").model if "{way}" == "ours" else plain()
    with torch.no_grad():
        total = sum(float(each.sum()) for each in ours.parameters())
    arrive("here")
    lines = pathlib.Path("/proc/self/smaps_rollup").read_text().splitlines()
    pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    (HERE / f"pss-{{number}}").write_text(str(pss * 1024))
    arrive("done")


def arrive(name):
    import os
    (HERE / f"{{name}}-{{os.getpid()}}").touch()
    while len(list(HERE.glob(f"{{name}}-*"))) < WORKERS:  # All hold their model at once.
        time.sleep(0.01)
"""
CONFTEST = """
from pytest_potmodels.loading.torchvision_guard import import_transformers
import_transformers().BertModel  # A torchvision for another torch cannot be imported plainly.
"""


def figures(cache: Path) -> list[Figure]:
    """The figure, over a cache that `full_size.write_cache` filled."""
    if not Path("/proc/self/smaps_rollup").exists():
        print("memory: not measured, only Linux says what processes share", file=sys.stderr)
        return []
    derive(cache)
    weights = full_size.weights_of(cache, full_size.BERT)
    as_pickle = cache / "bert.pt"
    _save_for_torch_load(weights, as_pickle)
    nothing = total_pss(cache, as_pickle, "nothing")
    size = weights.stat().st_size
    stock, ours = ((total_pss(cache, as_pickle, way) - nothing) / size for way in ("stock", "ours"))
    name = f"weights in memory, {WORKERS} workers"
    # The goal is in units of the file: what it would take if all shared it perfectly.
    return [Figure(name, stock, ours, "files", GOAL, beside="torch.load", paired=ours)]


def derive(cache: Path) -> None:
    """Have the aligned weights: a worker that made them would keep what it needed for that."""
    pipeline = full_size.pipeline_of(cache)
    pipeline.obtain(pipeline.catalog.request(full_size.BERT))


def _save_for_torch_load(weights: Path, target: Path) -> None:
    torch.save(load_file(weights), target)


def total_pss(cache: Path, weights: Path, way: str) -> int:
    """Bytes of all workers together."""
    with tempfile.TemporaryDirectory() as scratch:
        here = Path(scratch)
        (here / "conftest.py").write_text(CONFTEST)
        test = TEST.format(
            here=here.as_posix(), workers=WORKERS, weights=weights.as_posix(), way=way
        )
        (here / "test_memory.py").write_text(test)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"-n{WORKERS}"]
        settings = {"POT_CACHE_DIR": str(cache), "POT_NETWORK": "block"}
        ran = subprocess.run(
            [*command, "--maxschedchunk=1"],
            cwd=here, env={**os.environ, **settings}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if ran.returncode:
            sys.exit(ran.stdout + ran.stderr)
        return sum(int(path.read_text()) for path in here.glob("pss-*"))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        full_size.write_cache(Path(scratch))
        print(table(figures(Path(scratch))))


if __name__ == "__main__":
    main()
