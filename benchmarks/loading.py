"""A pristine model for each test, and the first load in a process, beside the stock ways.

A hand-out is all that one test's model costs: made, let go of, put back, over pages that have
been read before; its price beside that of a copy alone. First loads are from the store, after all
imports, with the aligned weights derived before. Several processes for each model, ours and stock
in turns: whether the system takes back memory that a copy gave up is luck, for one process always
the same, and it doubles the price of a copy.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import full_size
from figures import Figure, of_pairs, table

PROCESSES = 5
#: Goal and stretch.
PRISTINE = {
    full_size.BERT: (0.04, 0.02),
    full_size.RESNET: (0.12, 0.08),
    full_size.MOBILENET: (0.20, 0.14),
}
FIRST = {full_size.BERT: 0.5, full_size.RESNET: 0.12, full_size.MOBILENET: 0.65}
BUILDER = "builder, torch.load, load_state_dict"
CHILD = Path(__file__).with_name("one_process.py")

#: What `one_process` said the stock way, and our way.
Pair = tuple[dict[str, Any], dict[str, Any]]


def figures(cache: Path) -> list[Figure]:
    """All figures, over a cache that `full_size.write_cache` filled."""
    said = {name: measured(cache, name) for name in full_size.MODELS}
    return [
        *(pristine(name, [ours for _, ours in said[name]]) for name in said),
        *(first_load(name, said[name]) for name in said),
        *(difference(name, said[name][0][1]) for name in said),
        misaligned([pairs[0][1] for pairs in said.values()]),
        *(part for name in said for part in parts(name, [ours for _, ours in said[name]])),
    ]


def measured(cache: Path, name: str) -> list[Pair]:
    """What processes of both ways say, in turns, each first every other time."""
    in_process(cache, name, "ours")  # Derives, and writes .pyc files.
    return list(_pairs(cache, name))


def _pairs(cache: Path, name: str) -> Iterator[Pair]:
    for number in range(PROCESSES):
        if number % 2:
            ours = in_process(cache, name, "ours")
            yield in_process(cache, name, "stock"), ours
        else:
            yield in_process(cache, name, "stock"), in_process(cache, name, "ours")


def pristine(name: str, said: list[dict[str, Any]]) -> Figure:
    """Each test's model, beside copy.deepcopy."""
    pairs = [(each["deepcopy"], each["ours"]) for each in said]
    goal, stretch = PRISTINE[name]
    return of_pairs(f"pristine {name}", pairs, "ms", goal, stretch=stretch, beside="copy.deepcopy")


def parts(name: str, said: list[dict[str, Any]]) -> Iterator[Figure]:
    """What a hand-out consists of, and what it costs to put back what was written."""
    for part in said[0]["parts"]:
        pairs = [(each["deepcopy"], each["parts"][part]) for each in said]
        yield of_pairs(f"{name}: {part}", pairs, "ms", None, beside="copy.deepcopy")


def first_load(name: str, said: list[Pair]) -> Figure:
    """The first load in a process from the store, beside the library's own loader."""
    pairs = [(stock["first"], ours["first"]) for stock, ours in said]
    beside = "from_pretrained" if name == full_size.BERT else BUILDER
    return of_pairs(f"first load {name}", pairs, "ms", FIRST[name], beside=beside)


def difference(name: str, said: dict[str, Any]) -> Figure:
    """The largest difference of outputs beside the largest output: none is allowed."""
    return Figure(f"output difference {name}", said["magnitude"], said["difference"], "", 0.0)


def misaligned(said: list[dict[str, Any]]) -> Figure:
    """Tensors of all three models that do not begin at a multiple of 64 bytes."""
    tensors, off = (sum(each[key] for each in said) for key in ("tensors", "misaligned"))
    return Figure("tensors off a multiple of 64 bytes", tensors, off, "", 0.0)


def in_process(cache: Path, name: str, way: str) -> dict[str, Any]:
    """What a new process says."""
    return said_by(CHILD, str(cache), name, way)


def said_by(child: Path, *words: str) -> dict[str, Any]:
    """The last line of a program of ours in a new process, which is JSON."""
    command = [sys.executable, "-W", "ignore", str(child), *words]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    said: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return said


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as scratch:
        full_size.write_cache(Path(scratch))
        print(table(figures(Path(scratch))))


if __name__ == "__main__":
    main()
