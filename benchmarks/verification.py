"""What it costs to know that a file is untouched, beside hashing it again: 438 MB of BERT-base.

The look at the model is paid by every fixture, that at its aligned weights once in a process.
"""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import full_size
from figures import Figure, of_pairs, table

from pytest_potmodels.artifacts import StoredModel
from pytest_potmodels.digests import hash_file
from pytest_potmodels.opening import open_derived

ROUNDS = 5
REPEATED = 200
GOAL = 1e-4
PER_FILE = "warm verification per file"


def figures(cache: Path) -> list[Figure]:
    """The figures, over a cache that `full_size.write_cache` filled."""
    pipeline = full_size.pipeline_of(cache)
    request = pipeline.catalog.request(full_size.BERT)
    stored = pipeline.acquire(request)
    pipeline.load(stored, request, device="cpu")  # Derives.
    derived = open_derived(pipeline.settings)
    key = derived.of(stored)[0].key

    def verify() -> None:
        if pipeline.store.verify(stored, whole=False):
            raise SystemExit("the benchmark's own file is damaged")

    looks: dict[str, Callable[[], object]] = {
        PER_FILE: verify,
        "model found and verified": lambda: pipeline.acquire(request),
        "aligned weights found and verified": lambda: derived.find(key),
    }
    hashed = [milliseconds(lambda: hash_file(weights_of(stored)), 1) for _ in range(ROUNDS)]
    return [figure(name, hashed, look, len(stored.files)) for name, look in looks.items()]


def figure(name: str, hashed: list[float], look: Callable[[], object], files: int) -> Figure:
    """A look, beside sha256 of the weights."""
    share, goal = (files, GOAL) if name == PER_FILE else (1, None)
    pairs = [(full, milliseconds(look, REPEATED) / share) for full in hashed]
    return of_pairs(name, pairs, "ms", goal, beside="sha256")


def weights_of(stored: StoredModel) -> Path:
    """The largest file."""
    return stored.path / max(stored.files, key=lambda file: file.size).path


def milliseconds(action: Callable[[], object], times: int) -> float:
    """Processor time of one of several calls."""
    started = time.process_time()
    for _ in range(times):
        action()
    return 1000 * (time.process_time() - started) / times


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        full_size.write_cache(Path(scratch))
        print(table(figures(Path(scratch))))


if __name__ == "__main__":
    main()
