"""The strategies on models that tempt them: names twice, opsets, parameters between inputs."""

from pathlib import Path
from typing import Any

import onnx
import pytest
import torch
from onnx_export.conftest import in_process, prepared
from torch import nn

from pytest_potmodels.onnx_export import subject
from pytest_potmodels.onnx_export.recipes import Input, Recipe
from pytest_potmodels.onnx_export.rungs import OpsetError

ROW = Recipe("row", (Input("x", ("batch", 4)),), classes=("*",))


class Echo(nn.Module):
    """Returns what it is fed, under its name, and something else."""

    def __init__(self) -> None:
        super().__init__()
        self.all = nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> Any:
        return {"x": x, "y": self.all(x)}


@pytest.mark.parametrize("rung", ["dynamo", "legacy"])
def test_an_input_may_be_an_output_under_another_name(rung: str, tmp_path: Path) -> None:
    facts = in_process(rung, subject.prepare(Echo(), ROW), tmp_path)
    assert [each["name"] for each in facts["inputs"]] == ["x"]
    assert [each["name"] for each in facts["outputs"]] == ["x_out", "y"]


@pytest.mark.parametrize(("rung", "opset"), [("dynamo", 12), ("legacy", 21)])
def test_another_opset_than_the_one_that_was_asked_for_is_refused(
    rung: str, opset: int, tmp_path: Path
) -> None:
    from pytest_potmodels.onnx_export import conversion  # noqa: PLC0415

    with pytest.raises(OpsetError, match=f"gives opset 18, not {opset}"):
        conversion.convert(
            rung, subject.prepare(nn.Linear(4, 4), _of("input")), tmp_path,
            opset=opset, say=lambda _line: None,
        )  # fmt: skip


def _of(name: str) -> Recipe:
    return Recipe("row", (Input(name, ("batch", 4)),), classes=("*",))


@pytest.mark.parametrize("name", ["bert", pytest.param("gpt2", marks=pytest.mark.slow)])
def test_the_tracer_is_not_fed_the_parameters_between_the_inputs(name: str, tmp_path: Path) -> None:
    made = prepared(name)
    facts = in_process("legacy", made, tmp_path)
    graph = onnx.load(tmp_path / "model.onnx", load_external_data=False).graph
    assert [each.name for each in graph.input] == list(made.example.inputs)
    assert facts["opset"] == 18
