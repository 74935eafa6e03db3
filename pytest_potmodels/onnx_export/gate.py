"""What a file must pass before anybody gets it: its form here, its numbers in `parity`."""

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import onnx

import pytest_potmodels
from pytest_potmodels.onnx_export import parity
from pytest_potmodels.onnx_export.clean_file import paths_in
from pytest_potmodels.onnx_export.parity import Errors
from pytest_potmodels.onnx_export.refusals import GateError
from pytest_potmodels.onnx_export.subject import Subject


def passed(file: Path, subject: Subject) -> dict[str, Errors]:
    """The errors per output of a file that is as it should be.

    Raises:
        GateError: it is not, and in which respect.
    """
    try:
        onnx.checker.check_model(str(file), full_check=True)
    except Exception as error:
        raise GateError(f"onnx's checker refuses it: {_first_line(error)}") from error
    graph = onnx.load(file, load_external_data=False).graph
    _check_inputs(graph, subject)
    outputs = [each.name for each in graph.output]
    if outputs != subject.output_names:
        raise GateError(f"its outputs are {outputs}, not {subject.output_names}")
    if found := paths_in(file, _places()):
        raise GateError(f"it names folders of this machine: {', '.join(found)}")
    return parity.compared(file, subject)


def _check_inputs(graph: onnx.GraphProto, subject: Subject) -> None:
    found = {each.name: each for each in graph.input}
    expected = list(subject.example.inputs)
    if list(found) != expected:
        raise GateError(f"its inputs are {list(found)}, not {expected}")
    for name in expected:
        dims = found[name].type.tensor_type.shape.dim
        axes = subject.axes_of(name)
        shown = [dim.dim_param or dim.dim_value for dim in dims]
        if len(dims) != len(axes):
            raise GateError(f"its {name} has the axes {shown}, not {list(axes)}")
        for dim, axis in zip(dims, axes, strict=True):
            if isinstance(axis, str) and not dim.dim_param:
                raise GateError(f"its {name} has the axes {shown}: {axis} is fixed")
            if isinstance(axis, int) and dim.dim_value not in (0, axis):
                raise GateError(f"its {name} has the axes {shown}, not {list(axes)}")


def _places() -> Iterator[str]:
    """Folders whose names would tell, and give other bytes elsewhere."""
    yield from (sys.prefix, sysconfig.get_paths()["purelib"], sysconfig.get_paths()["stdlib"])
    yield str(Path(pytest_potmodels.__file__).parent)
    yield str(Path.home())


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
