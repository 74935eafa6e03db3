"""Files that are almost the model, and models that nothing can be compared with."""

import copy
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from onnx_export.conftest import Converted, prepared
from torch import nn

from pytest_potmodels.onnx_export import gate, parity, subject
from pytest_potmodels.onnx_export.recipes import Input, Recipe
from pytest_potmodels.onnx_export.refusals import GateError
from pytest_potmodels.onnx_export.subject import UnfitError

Convert = Callable[[str], Converted]
Edit = Callable[[onnx.ModelProto], None]

NOISE = 1e-5
ROW = Recipe("row", (Input("x", ("batch", 4)),), classes=("*",))


def edited(made: Converted, folder: Path, edit: Edit) -> Path:
    proto = onnx.load(made.file)
    edit(proto)
    file = folder / "model.onnx"
    onnx.save(proto, file)
    return file


def fix_batch(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2


def rename_output(proto: onnx.ModelProto) -> None:
    proto.graph.node.append(
        onnx.helper.make_node("Identity", [proto.graph.output[0].name], ["other"])
    )
    proto.graph.output[0].name = "other"


def drop_mask(proto: onnx.ModelProto) -> None:
    """As an exporter does that finds a mask of ones superfluous."""
    (mask,) = [each for each in proto.graph.input if each.name == "attention_mask"]
    proto.graph.input.remove(mask)
    ones = onnx.helper.make_tensor("one", onnx.TensorProto.INT64, [1], [1])
    proto.graph.node.insert(
        0, onnx.helper.make_node("ConstantOfShape", ["size"], ["attention_mask"], value=ones)
    )
    proto.graph.node.insert(0, onnx.helper.make_node("Shape", ["input_ids"], ["size"]))


def swap_inputs(proto: onnx.ModelProto) -> None:
    """A session is called by position, too, and these two are of one type."""
    first, second = (copy.deepcopy(each) for each in proto.graph.input[:2])
    proto.graph.input[0].CopyFrom(second)
    proto.graph.input[1].CopyFrom(first)


def note_a_path(proto: onnx.ModelProto) -> None:
    proto.doc_string = f"made by {gate.__file__}"


def break_the_graph(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].input[0] = "nowhere"


EDITS: dict[str, tuple[Edit, str]] = {
    "a fixed axis": (fix_batch, "batch is fixed"),
    "another output": (rename_output, "its outputs are"),
    "a dropped mask": (drop_mask, "its inputs are"),
    "another order": (swap_inputs, "its inputs are"),
    "a path": (note_a_path, "names folders of this machine"),
    "a broken graph": (break_the_graph, "checker refuses it"),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_file_of_another_form_is_refused(case: str, converted: Convert, tmp_path: Path) -> None:
    made = converted("bert")
    edit, said = EDITS[case]
    with pytest.raises(GateError, match=said):
        gate.passed(edited(made, tmp_path, edit), made.subject)


def test_a_file_that_nobody_touched_passes(converted: Convert, tmp_path: Path) -> None:
    made = converted("bert")
    assert gate.passed(edited(made, tmp_path, lambda _proto: None), made.subject)


def test_a_file_that_is_cut_off_is_refused(converted: Convert, tmp_path: Path) -> None:
    made, file = converted("bert"), tmp_path / "model.onnx"
    file.write_bytes(made.file.read_bytes()[:-1000])
    with pytest.raises(GateError):
        gate.passed(file, made.subject)


def test_weights_of_another_size_are_refused(converted: Convert, tmp_path: Path) -> None:
    made = converted("resnet18")
    for path in made.folder.iterdir():
        shutil.copy(path, tmp_path)
    data = tmp_path / "model.onnx.data"
    data.write_bytes(data.read_bytes()[:-4])
    with pytest.raises(GateError):
        gate.passed(tmp_path / "model.onnx", made.subject)


def zeroed(values: Any) -> Any:
    return np.zeros_like(values)


def rolled(values: Any) -> Any:
    return np.roll(values.reshape(-1), 1).reshape(values.shape)


def weights(file: Path) -> list[str]:
    """The names of the float tensors in a file that are not all of one value."""
    found = {t.name: numpy_helper.to_array(t) for t in onnx.load(file).graph.initializer}
    return [name for name, array in found.items() if array.dtype.kind == "f" and np.ptp(array) > 0]


def change(file: Path, other: Path, made: Converted) -> float:
    """How far two files are from each other at the gate's inputs, relative to the largest value."""
    sessions = [onnxruntime.InferenceSession(each, providers=["CPUExecutionProvider"])
                for each in (file, other)]  # fmt: skip
    worst = 0.0
    for each in made.subject.rounds:
        fed = {name: tensor.numpy() for name, tensor in each.inputs.items()}
        for one, two in zip(*(session.run(None, fed) for session in sessions), strict=True):
            worst = max(worst, float(np.abs(one - two).max() / np.abs(one).max()))
    return worst


@pytest.mark.parametrize(
    "name",
    ["bert", *(pytest.param(slow, marks=pytest.mark.slow) for slow in ("vit", "t5", "resnet18"))],
)
def test_every_weight_that_counts_is_missed(name: str, converted: Convert, tmp_path: Path) -> None:
    made = converted(name)
    silent = []
    for weight in weights(made.file):
        for mutate in (zeroed, rolled):

            def edit(proto: onnx.ModelProto, weight: str = weight, mutate: Any = mutate) -> None:
                (tensor,) = [t for t in proto.graph.initializer if t.name == weight]
                array = numpy_helper.to_array(tensor)
                tensor.CopyFrom(numpy_helper.from_array(mutate(array), weight))

            file = edited(made, tmp_path, edit)
            try:
                parity.compared(file, made.subject)
            except GateError:
                continue
            # A bias of keys moves all scores alike, and a softmax does not see it.
            assert change(made.file, file, made) <= NOISE, (weight, mutate.__name__)
            silent.append(weight)
    assert len(silent) <= 0.1 * 2 * len(weights(made.file)), silent


class Constant(nn.Module):
    """Answers the same to everything."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.answer = nn.Parameter(torch.tensor([value, 2 * value]))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.answer.expand(x.shape[0], 2)


class Picky(nn.Module):
    """Takes batches of two or three alone."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.shape[0] not in (2, 3):
            raise ValueError("two or three rows")
        return x * 2


class Random(nn.Module):
    """Answers as it likes."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + torch.rand_like(x)


class Twins(nn.Module):
    """Has one name for two outputs."""

    def forward(self, x: torch.Tensor) -> Any:
        return {"a": {"b": x + 1}, "a_b": x + 2}


class Wordy(nn.Module):
    """Returns something that is no tensor."""

    def forward(self, x: torch.Tensor) -> Any:
        return {"text": "a word", "x": x}


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Constant(0.0), "zero for all inputs"),
        (Constant(1.0), "same for different inputs"),
        (Constant(float("nan")), "NaN"),
        (Picky(), "takes 2 of the shapes, 4 are needed.*two or three rows"),
        (Wordy(), "its text is a str"),
        (Random(), "differs from call to call"),
        (Twins(), "two of its outputs have one name: a_b, a_b"),
        (nn.Linear(5, 2), "refuses its example"),
    ],
    ids=["zero", "constant", "NaN", "picky", "wordy", "random", "twins", "other size"],
)
def test_a_model_that_says_nothing_is_not_compared_with(model: nn.Module, said: str) -> None:
    recipe = Recipe("row", (Input("input" if isinstance(model, nn.Linear) else "x", ("batch", 4)),),
                    classes=("*",))  # fmt: skip
    with pytest.raises(UnfitError, match=said):
        subject.prepare(model, recipe)


def test_a_head_of_zeros_is_told_before_anything_is_exported() -> None:
    from pytest_potmodels.loading.torchvision_guard import import_torchvision  # noqa: PLC0415

    small = {"num_layers": 1, "num_heads": 2, "hidden_dim": 16, "mlp_dim": 16}
    model = import_torchvision().models.VisionTransformer(32, 16, **small)
    with pytest.raises(UnfitError, match="zero for all inputs"):
        subject.prepare(model, prepared_recipe(model), (32, 32))


def prepared_recipe(model: nn.Module) -> Recipe:
    from pytest_potmodels.onnx_export import inference  # noqa: PLC0415

    return inference.recipe_of(model)


def test_an_answer_that_may_be_constant_is_still_compared() -> None:
    recipe = Recipe("row", ROW.inputs, classes=("*",), may_be_constant=("output",))
    assert subject.prepare(Constant(1.0), recipe).output_names == ["output"]


class Best(nn.Module):
    """One class for each row: few of them, so they are the same by chance."""

    def __init__(self) -> None:
        super().__init__()
        self.all = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        best: torch.Tensor = self.all(x).argmax(-1)
        return best


@pytest.mark.parametrize("seed", range(4))
def test_few_classes_that_are_the_same_by_chance_are_not_taken_for_constant(seed: int) -> None:
    torch.manual_seed(seed)
    assert subject.prepare(Best(), ROW).example.expected["output"].dtype == torch.int64


class Masked(nn.Module):
    """Has the least number where there is padding, as heads that pick a token do."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(100, 4)

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        least = torch.finfo(torch.float32).min
        found: torch.Tensor = self.words(input_ids).sum(-1)
        return found.masked_fill(attention_mask == 0, least)


def test_a_wrong_number_beside_a_mask_is_missed_by_nobody() -> None:
    ids = Input("input_ids", ("batch", "sequence"), "ids")
    inputs = (ids, Input("attention_mask", ids.axes, "mask"))
    made = subject.prepare(Masked(), Recipe("masked", inputs, classes=("*",)))
    padded = made.example
    assert bool((padded.inputs["attention_mask"] == 0).any())
    expected = padded.expected["output"].numpy()
    wrong = expected.copy()
    wrong[1, 0] += 1.0
    assert parity._difference(expected, wrong).relative > 1e-2
    assert parity._difference(expected, expected + np.float32(1e-6)).relative < 1e-4


def test_infinities_must_be_the_same() -> None:
    one = np.array([1.0, -np.inf, 3.0], dtype=np.float32)
    assert parity._difference(one, one.copy()).relative == 0
    for other in ([1.0, np.inf, 3.0], [1.0, 0.0, 3.0], [np.nan, -np.inf, 3.0]):
        assert parity._difference(one, np.array(other, dtype=np.float32)).relative == np.inf


def test_a_reference_of_zeros_allows_no_difference() -> None:
    zeros = np.zeros(3, dtype=np.float32)
    assert parity._difference(zeros, zeros).relative == 0
    assert parity._difference(zeros, zeros + 1e-9).relative == np.inf


def test_the_settings_reach_every_part_of_a_model() -> None:
    made = prepared("t5")
    assert "past_key_values" not in " ".join(made.output_names)
