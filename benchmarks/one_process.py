"""One model in a process of its own: its first load, and what hand-outs after it cost.

python one_process.py CACHE MODEL stock|ours     # prints JSON; times are in milliseconds

Processor time on one thread. Before each measurement all garbage is collected and what is left
is frozen, so that the collector's passes through the frameworks' objects are in no way's time.
"""

import copy
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import full_size
import torch

from pytest_potmodels.artifacts import ModelRequest, StoredModel
from pytest_potmodels.pipeline import Pipeline

ROUNDS = 7
#: Writing to all pages of BERT takes a fifth of a second.
WRITES = 3
ALIGNMENT = 64


def main(cache: Path, name: str, way: str) -> dict[str, Any]:
    """Measure, in this process."""
    torch.set_num_threads(1)
    for module in ("original", "torchvision", "transformers"):
        import_module(f"pytest_potmodels.loading.{module}")
    full_size.import_all()
    if way == "stock":
        return {"first": timed(lambda: full_size.stock_load(cache, name))[1]}
    pipeline = full_size.pipeline_of(cache)
    request = pipeline.catalog.request(name)
    loaded, first = timed(lambda: pipeline.obtain(request))
    stock = full_size.stock_load(cache, name)
    said = {"first": first, **likeness(loaded.model, stock, name)}
    del loaded
    lender = Lender(pipeline, request, pipeline.acquire(request), name)
    return {**said, **hand_outs(lender, stock)}


class Lender:
    """Lends the model to a test, and takes it back."""

    def __init__(
        self, pipeline: Pipeline, request: ModelRequest, stored: StoredModel, name: str
    ) -> None:
        self._pipeline = pipeline
        self._request = request
        self._stored = stored
        self.name = name
        self._pipeline.originals.settle()

    def turn(self, use: Callable[[Any], None]) -> tuple[float, float, float]:
        """Milliseconds of the hand-out, of letting go, of putting back; `use` is in none."""
        load = self._pipeline.load
        loaded, out = timed(lambda: load(self._stored, self._request, device="cpu"))
        use(loaded.model)
        started = time.process_time()
        del loaded
        gone = time.process_time()
        self._pipeline.originals.settle()
        return out, 1000 * (gone - started), 1000 * (time.process_time() - gone)


def hand_outs(lender: Lender, stock: Any) -> dict[str, Any]:
    """Medians of this process: of a copy, and of each part of a hand-out."""

    def read(model: Any) -> None:
        forward(model, lender.name)
        for tensor in model.state_dict().values():
            tensor.sum()  # A forward pass reads only the words of its input.

    copies, turns = [], []
    for _ in range(ROUNDS):
        made, took = timed(lambda: copy.deepcopy(stock))
        read(made)
        del made
        copies.append(took)
        turns.append(lender.turn(read))
    out, gone, back = (statistics.median(column) for column in zip(*turns, strict=True))
    return {
        "deepcopy": statistics.median(copies),
        "ours": statistics.median(map(sum, turns)),
        "parts": {
            "handed out": out,
            "let go": gone,
            "put back, only read": back,
            "put back, one tensor written": put_back(lender, slice(-1, None)),
            "put back, all written": put_back(lender, slice(None)),
        },
    }


def put_back(lender: Lender, written: slice) -> float:
    """Milliseconds of putting back a model of which some parameters were written."""

    def write(model: Any) -> None:
        with torch.no_grad():
            for parameter in list(model.parameters())[written]:
                parameter.add_(1)

    return statistics.median(lender.turn(write)[2] for _ in range(WRITES))


def likeness(ours: Any, stock: Any, name: str) -> dict[str, Any]:
    """The largest difference of outputs, and how many tensors are not aligned."""
    tensors = [*ours.parameters(), *ours.buffers()]
    expected = [forward(stock, name, seed) for seed in range(3)]
    found = [forward(ours, name, seed) for seed in range(3)]
    pairs = zip(found, expected, strict=True)
    return {
        "magnitude": max(float(output.abs().max()) for output in expected),
        "difference": max(float((mine - theirs).abs().max()) for mine, theirs in pairs),
        "tensors": len(tensors),
        "misaligned": sum(tensor.data_ptr() % ALIGNMENT != 0 for tensor in tensors),
    }


def forward(model: Any, name: str, seed: int = 0) -> torch.Tensor:
    """The model's output for an input drawn from a seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        if name != full_size.BERT:
            image: torch.Tensor = model(torch.rand(1, 3, 224, 224, generator=generator))
            return image
        words = torch.randint(30522, (2, 32), generator=generator)
        output: torch.Tensor = model(words).last_hidden_state
        return output


def timed(action: Callable[[], Any]) -> tuple[Any, float]:
    """What an action gives, and the milliseconds of processor time that it takes."""
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    started = time.process_time()
    result = action()
    return result, 1000 * (time.process_time() - started)


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), *sys.argv[2:])))
