"""All benchmarks: a table, figures.json and a picture in benchmarks/results/.

python benchmarks/report.py [NAME ...]        # all, or some of: loading memory ...
"""

import json
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import full_size
from figures import Figure, table
from picture import draw

RESULTS = Path(__file__).parent / "results"
#: In the order of the table; those in the first line share a cache of full-size weights.
WITH_CACHE = ("loading", "memory", "verification")
ALONE = ("whole_run", "threads", "collection", "startup")


def main(names: Sequence[str]) -> None:
    """Measure what was asked for, print it, keep it."""
    known = (*WITH_CACHE, *ALONE)
    if strange := [name for name in names if name not in known]:
        sys.exit(f"report: no benchmark {', '.join(strange)}; there are: {', '.join(known)}")
    wanted = names or known
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch)
        if set(wanted) & set(WITH_CACHE):
            full_size.write_cache(cache)
        for name in wanted:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            module = import_module(name)
            found += module.figures(cache) if name in WITH_CACHE else module.figures()
    print(f"\n{machine()}\n\n{table(found)}")
    keep(found)


def machine() -> str:
    """What was measured on: comparisons hold within one of these."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "pytest"))
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{_processor()}, {system}, {packages}"


def keep(found: Sequence[Figure]) -> None:
    """Write the figures for machines and for eyes."""
    RESULTS.mkdir(exist_ok=True)
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in found]
    text = json.dumps({"machine": machine(), "figures": rows}, indent=2)
    (RESULTS / "figures.json").write_text(text + "\n")
    draw(found, machine(), RESULTS / "figures.png")
    print(f"\nwritten: {RESULTS / 'figures.json'}, {RESULTS / 'figures.png'}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(models)} x {models[0]}" if models else platform.machine()


if __name__ == "__main__":
    main(sys.argv[1:])
