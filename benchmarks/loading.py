"""A pristine model for each test, and the first load in a process, beside the stock ways.

Processor time on one thread. A hand-out is measured as a session makes it: over pages that a
forward pass has touched, with the look at the page table that follows each test. First loads are
of fresh processes, in turns, after all imports, with the aligned weights derived before.
"""

import copy
import gc
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import full_size
import torch
from figures import Figure, of_pairs, table

ROUNDS = 15
PROCESSES = 7
#: Goal and stretch.
PRISTINE = {
    full_size.BERT: (0.04, 0.02),
    full_size.RESNET: (0.12, 0.08),
    full_size.MOBILENET: (0.20, 0.14),
}
FIRST = {full_size.BERT: 0.5, full_size.RESNET: 0.12, full_size.MOBILENET: 0.65}
ALIGNMENT = 64


def figures(cache: Path) -> list[Figure]:
    """All figures, over a cache that `full_size.write_cache` filled."""
    torch.set_num_threads(1)
    full_size.import_all()
    same = [difference(cache, name) for name in full_size.MODELS]  # Derives, too.
    return [
        *(pristine(cache, name) for name in full_size.MODELS),
        *(first_load(cache, name) for name in full_size.MODELS),
        *same,
    ]


def pristine(cache: Path, name: str) -> Figure:
    """Hand out a model and put it back, beside copy.deepcopy; letting go is in neither."""
    pipeline = full_size.pipeline_of(cache)
    request = pipeline.catalog.request(name)
    stored = pipeline.acquire(request)
    stock = full_size.stock_load(cache, name)
    pipeline.load(stored, request, device="cpu")
    pipeline.originals.settle()

    def ours() -> float:
        quiet()
        loaded, took = timed(lambda: pipeline.load(stored, request, device="cpu"))
        forward(loaded.model, name)
        del loaded
        return took + timed(pipeline.originals.settle)[1]

    pairs = [(copying(stock), ours()) for _ in range(ROUNDS)]
    goal, stretch = PRISTINE[name]
    return of_pairs(f"pristine {name}", pairs, "ms", goal, stretch=stretch, beside="copy.deepcopy")


def copying(stock: Any) -> float:
    """Milliseconds of a copy, with the garbage collector as Python has it.

    Passes of the collector that a copy sets off are part of its price: only our sessions freeze
    what the frameworks have brought.
    """
    gc.unfreeze()
    gc.collect()
    return timed(lambda: copy.deepcopy(stock))[1]


def first_load(cache: Path, name: str) -> Figure:
    """The first load in a process from the store, beside the library's own loader."""
    ways = ("stock", "ours")
    pairs = [[in_process(cache, name, way) for way in ways] for _ in range(PROCESSES)]
    beside = "from_pretrained" if name == full_size.BERT else "builder, torch.load, load_state_dict"
    return of_pairs(f"first load {name}", pairs, "ms", FIRST[name], beside=beside)


def in_process(cache: Path, name: str, way: str) -> float:
    """Milliseconds that the first load takes in a new process."""
    command = [sys.executable, "-W", "ignore", __file__, "--first", str(cache), name, way]
    return float(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout.split()[-1])


def first(cache: Path, name: str, way: str) -> float:
    """Load in this process."""
    for module in ("original", "torchvision", "transformers"):
        import_module(f"pytest_potmodels.loading.{module}")
    torch.set_num_threads(1)
    full_size.import_all()
    pipeline = full_size.pipeline_of(cache)
    request = pipeline.catalog.request(name)
    quiet()
    if way == "stock":
        return timed(lambda: full_size.stock_load(cache, name))[1]
    return timed(lambda: pipeline.obtain(request))[1]


def difference(cache: Path, name: str) -> Figure:
    """The largest difference of outputs, of which none is allowed; and the alignment."""
    pipeline = full_size.pipeline_of(cache)
    ours = pipeline.obtain(pipeline.catalog.request(name)).model
    stock = full_size.stock_load(cache, name)
    tensors = [*ours.parameters(), *ours.buffers()]
    if any(tensor.data_ptr() % ALIGNMENT for tensor in tensors):
        sys.exit(f"{name}: a tensor is not aligned to {ALIGNMENT} bytes")
    largest = max(
        float((forward(ours, name, seed) - forward(stock, name, seed)).abs().max())
        for seed in range(3)
    )
    return Figure(f"output difference {name}", 1.0, largest, "", goal=0.0)


def forward(model: Any, name: str, seed: int = 0) -> torch.Tensor:
    """Outputs for an input that touches all weights but the rarer words."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        if name == full_size.BERT:
            output: torch.Tensor = model(
                torch.randint(30522, (2, 32), generator=generator)
            ).last_hidden_state
        else:
            output = model(torch.rand(1, 3, 224, 224, generator=generator))
    return output


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """What an action gives, and the milliseconds of processor time that it takes."""
    started = time.process_time()
    result = action()
    return result, 1000 * (time.process_time() - started)


def quiet() -> None:
    """What a session of ours does when it has imported a framework."""
    gc.collect()
    gc.freeze()


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        full_size.write_cache(Path(scratch))
        print(table(figures(Path(scratch))))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--first"]:
        print(first(Path(sys.argv[2]), *sys.argv[3:]))
    else:
        main()
