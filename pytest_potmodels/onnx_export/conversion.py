"""One model through one strategy and the gate, in this process; only the child calls it."""

import tempfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx

from pytest_potmodels.onnx_export import clean_file, gate, rungs
from pytest_potmodels.onnx_export.subject import Subject

Say = Callable[[str], None]


def convert(
    rung: str, subject: Subject, folder: Path, *, opset: int | None = None, say: Say = print
) -> dict[str, Any]:
    """Fill a folder with a file that has passed the gate; give the facts about it.

    Raises:
        GateError: what was exported is not the model.
        Exception: whatever the strategy fails with.
    """
    say(f"exporting ({rung})")
    with tempfile.TemporaryDirectory(prefix="potmodels-onnx-") as scratch:
        taken, graph = rungs.climb(rung, subject, opset, Path(scratch))
        file = clean_file.write(graph, folder)
    say(f"comparing with the model at {len(taken.rounds)} shapes ({rung})")
    errors = gate.passed(file, taken)
    header = onnx.load(file, load_external_data=False)
    return {
        "own": "",
        "file": file.name,
        "rung": rung,
        "recipe": taken.recipe.family,
        "opset": next(
            each.version for each in header.opset_import if each.domain in ("", "ai.onnx")
        ),
        "nodes": len(header.graph.node),
        "inputs": [_input(each.name, taken) for each in header.graph.input],
        "outputs": [_output(name, taken) for name in taken.output_names],
        "tolerance": taken.recipe.tolerance,
        "errors": {name: asdict(error) for name, error in errors.items()},
        "shapes": [dict(each.sizes) for each in taken.rounds],
        "refused": [{"shape": dict(sizes), "why": why} for sizes, why in taken.refused],
    }


def _input(name: str, subject: Subject) -> dict[str, Any]:
    """By our own names: equal symbols may have been merged in the file."""
    dtype = str(subject.example.inputs[name].dtype).removeprefix("torch.")
    return {"name": name, "dtype": dtype, "axes": list(subject.axes_of(name))}


def _output(name: str, subject: Subject) -> dict[str, Any]:
    example = subject.example.expected[name]
    shapes = [each.expected[name].shape for each in subject.rounds]
    axes = [_axis([shape[place] for shape in shapes], f"{name}_{place}", subject)
            for place in range(example.dim())]  # fmt: skip
    return {"name": name, "dtype": str(example.dtype).removeprefix("torch."), "axes": axes}


def _axis(sizes: list[int], unnamed: str, subject: Subject) -> str | int:
    """A fixed axis by its size; one that moved as an input's axis did by that one's name."""
    if len(set(sizes)) == 1:
        return sizes[0]
    for axis in subject.example.sizes:
        if sizes == [each.sizes[axis] for each in subject.rounds]:
            return axis
    return unnamed
