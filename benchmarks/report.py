"""All benchmarks: a table, figures.json and a picture in benchmarks/results/.

They make full-size models of random numbers in a temporary cache, and download nothing.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from figures import Figure, table

RESULTS = Path(__file__).parent / "results"
#: In the order of the table; those in the first line share a cache of full-size weights.
WITH_CACHE = ("loading", "memory", "verification", "ci_hashing", "onnx_session")
ALONE = ("whole_run", "threads", "collection", "startup", "downloads", "lut", "lut_hard")


def main(arguments: Sequence[str]) -> None:
    """Measure what was asked for, print it, keep it."""
    known = (*WITH_CACHE, *ALONE)
    parser = argparse.ArgumentParser(prog="report.py", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(known)}")
    names = parser.parse_args(arguments).names
    if strange := [name for name in names if name not in known]:
        parser.error(f"no benchmark {', '.join(strange)}; there are: {', '.join(known)}")
    found = measured(names or known)
    print(f"\n{machine()}\n\n{table(found)}")
    keep(found)


def measured(names: Sequence[str]) -> list[Figure]:
    """The figures of these benchmarks."""
    found: list[Figure] = []
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch)
        if set(names) & set(WITH_CACHE):
            import_module("full_size").write_cache(cache)
        for name in names:
            print(f"measuring {name} ...", file=sys.stderr, flush=True)
            module = import_module(name)
            found += module.figures(cache) if name in WITH_CACHE else module.figures()
    return found


def machine() -> str:
    """What was measured on: comparisons hold within one of these."""
    packages = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "pytest"))
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{os.cpu_count()} x {_processor()}, {system}, {packages}"


def keep(found: Sequence[Figure]) -> None:
    """Write the figures for machines and for eyes."""
    RESULTS.mkdir(exist_ok=True)
    rows = [{**asdict(figure), "ratio": figure.ratio} for figure in found]
    text = json.dumps({"machine": machine(), "figures": rows}, indent=2)
    (RESULTS / "figures.json").write_text(text + "\n")
    # Here, because to ask for help, or for a table, takes no matplotlib.
    import_module("picture").draw(found, machine(), RESULTS / "figures.png")
    print(f"\nwritten: {RESULTS / 'figures.json'}, {RESULTS / 'figures.png'}")


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(models, platform.processor() or platform.machine())


if __name__ == "__main__":
    main(sys.argv[1:])
