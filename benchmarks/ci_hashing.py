"""What `potmodels ci warm` adds to sha256 over the files that a CI service restored: 497 MB.

A fresh copy of the cache each time, as after a restore: no signature vouches for any of its files.
Reading is part of both, and the network is closed, so nothing but hashing can make it a hit.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import full_size
from figures import Figure, of_pairs, table

from pytest_potmodels.ci import folder
from pytest_potmodels.ci.event import decide
from pytest_potmodels.ci.inputs import Inputs
from pytest_potmodels.ci.selection import of_lock
from pytest_potmodels.ci.warming import Warming, warm
from pytest_potmodels.lockfile.entries import locked
from pytest_potmodels.lockfile.writing import as_text
from pytest_potmodels.pipeline import open_pipeline

ROUNDS = 5
GOAL = 1.2


def figures(cache: Path) -> list[Figure]:
    """A warm job on a verified hit, beside hashlib; over a cache that `full_size` filled."""
    lock = cache / "potmodels.lock"
    pipeline = full_size.pipeline_of(cache)
    requests = [pipeline.catalog.request(name) for name in full_size.MODELS]
    models = [locked(pipeline.acquire(each), each, (each.asked,), {}) for each in requests]
    lock.write_text(as_text(models), encoding="utf-8")
    pairs = [_pair(cache, lock) for _ in range(ROUNDS)]
    return [of_pairs("ci warm, verified hit", pairs, "ms", GOAL, beside="hashlib")]


def _pair(cache: Path, lock: Path) -> tuple[float, float]:
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        restored = Path(scratch) / "restored"
        shutil.copytree(cache / "models", restored / "models")
        files = [path for path in restored.rglob("*") if path.is_file()]
        stock = _milliseconds(lambda: [_plain(path) for path in files])
        ours = _milliseconds(lambda: _warm(restored, lock))
        return stock, ours


def _plain(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _warm(restored: Path, lock: Path) -> Warming:
    folder.claim(restored)
    settings = full_size.pipeline_of(restored).settings
    pipeline = open_pipeline(replace(settings, lock=lock, locked=True))
    selected = of_lock(pipeline.pins, pipeline.catalog)
    found = warm(pipeline, selected, Inputs(), decide("auto", {}))
    if found.state != "hit" or found.requests:
        raise SystemExit(f"the benchmark's own cache is no hit: {found}")
    return found


def _milliseconds(action: Callable[[], object]) -> float:
    """Processor time of one call, in all threads."""
    started = time.process_time()
    action()
    return 1000 * (time.process_time() - started)


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        full_size.write_cache(Path(scratch))
        print(table(figures(Path(scratch))))


if __name__ == "__main__":
    main()
