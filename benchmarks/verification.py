"""What it costs to know that a file is untouched, beside hashing it again: 438 MB of BERT-base."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import full_size
from figures import Figure, of_pairs, table

from pytest_potmodels.digests import hash_file

ROUNDS = 5
REPEATED = 200
GOAL = 1e-4


def figures(cache: Path) -> list[Figure]:
    """The figures, over a cache that `full_size.write_cache` filled."""
    pipeline = full_size.pipeline_of(cache)
    request = pipeline.catalog.request(full_size.BERT)
    stored = pipeline.acquire(request)
    weights = full_size.weights_of(cache, full_size.BERT)
    store = pipeline.store

    def verify() -> None:
        if store.verify(stored, whole=False):
            raise SystemExit("the benchmark's own file is damaged")

    per_file = [
        (
            milliseconds(lambda: hash_file(weights), 1),
            milliseconds(verify, REPEATED) / len(stored.files),
        )
        for _ in range(ROUNDS)
    ]
    return [of_pairs("warm verification per file", per_file, "ms", GOAL, beside="sha256")]


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
