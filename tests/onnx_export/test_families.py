"""Every family that has a recipe, and other architectures, against the gate."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import onnxruntime
import pytest
from onnx_export.conftest import Converted, in_process, prepared
from onnx_export.zoo import FAMILIES, OTHERS

from pytest_potmodels.onnx_export import conversion, inference, rungs, transformers_exporter
from pytest_potmodels.onnx_export.subject import UnfitError
from pytest_potmodels.onnx_export.transformers_exporter import NotHereError

Convert = Callable[[str], Converted]

QUICK = ("resnet18", "bert", "t5-encoder", "vit", "clip-vision", "whisper-encoder")
REST = tuple(name for name in FAMILIES if name not in QUICK)
#: What no strategy exports, and why: a test would be skipped with that reason.
UNSUPPORTED: dict[str, str] = {}


@pytest.mark.parametrize("name", [*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in REST)])
def test_a_family_goes_the_first_rung_and_passes_the_gate(name: str, converted: Convert) -> None:
    made = converted(name)
    assert made.facts["rung"] == "dynamo"
    assert made.facts["recipe"] != "by rule"
    assert len(made.facts["shapes"]) >= 4
    assert made.facts["refused"] == []
    tolerance = made.facts["tolerance"]
    assert all(each["relative"] <= tolerance / 5 for each in made.facts["errors"].values())
    json.dumps(made.facts, allow_nan=False)


@pytest.mark.parametrize("name", ["bert", "resnet18"])
def test_the_shapes_have_the_smallest_and_one_beyond_the_example(
    name: str, converted: Convert
) -> None:
    shapes = converted(name).facts["shapes"]
    for axis, example in shapes[0].items():
        sizes = [shape[axis] for shape in shapes[1:]]
        assert 1 in sizes
        assert max(sizes) > example > 1
    assert len(set(shapes[0].values())) == len(shapes[0])


def test_every_second_row_is_padded(converted: Convert) -> None:
    made = converted("bert").subject
    for each in made.rounds:
        mask = each.inputs["attention_mask"]
        if min(mask.shape) > 1:
            assert mask[0].all()
            assert not mask[1].all()
            assert mask.any(dim=1).all()


def test_the_manifest_names_axes_as_the_recipe_does(converted: Convert) -> None:
    facts = converted("bert").facts
    assert [each["name"] for each in facts["inputs"]] == [
        "input_ids", "attention_mask", "token_type_ids",
    ]  # fmt: skip
    assert all(each["axes"] == ["batch", "sequence"] for each in facts["inputs"])
    assert facts["outputs"] == [
        {"name": "last_hidden_state", "dtype": "float32", "axes": ["batch", "sequence", 32]},
        {"name": "pooler_output", "dtype": "float32", "axes": ["batch", 32]},
    ]
    assert converted("resnet18").facts["inputs"][0]["axes"] == ["batch", 3, 64, 64]


def test_a_large_model_keeps_its_weights_in_a_file_beside_it(converted: Convert) -> None:
    small, large = converted("bert"), converted("resnet18")
    assert [path.name for path in small.folder.iterdir()] == ["model.onnx"]
    names = sorted(path.name for path in large.folder.iterdir())
    assert names == ["model.onnx", "model.onnx.data"]
    assert large.file.stat().st_size < 1 << 20
    onnxruntime.InferenceSession(large.file, providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("name", ["bert", "resnet18"])
def test_nothing_of_the_machine_is_in_a_file(name: str, converted: Convert) -> None:
    made = converted(name)
    content = made.file.read_bytes()
    package = Path(rungs.__file__).parent
    for place in (Path(onnx.__file__).parent.parent, package, Path.home(), made.folder):
        assert str(place).encode() not in content
    proto = onnx.load(made.file, load_external_data=False)
    assert not proto.metadata_props
    assert not any(node.metadata_props or node.doc_string for node in proto.graph.node)
    assert not any(value.metadata_props for value in proto.graph.value_info)


@pytest.mark.parametrize(
    ("rung", "opset", "axes"),
    [
        pytest.param("dynamo-unoptimized", 20, ["batch", "sequence"], marks=pytest.mark.slow),
        pytest.param("transformers", 20, ["batch", "sequence"], marks=pytest.mark.slow),
        pytest.param("static-sequence", 20, ["batch", 8], marks=pytest.mark.slow),
        ("legacy", 18, ["batch", "sequence"]),
    ],
)
def test_every_rung_gives_a_file_that_passes(
    rung: str, opset: int, axes: list[Any], tmp_path: Path
) -> None:
    facts = in_process(rung, prepared("bert-classifier"), tmp_path)
    assert (facts["rung"], facts["opset"]) == (rung, opset)
    assert {tuple(each["axes"]) for each in facts["inputs"]} == {tuple(axes)}
    assert facts["outputs"][0] == {"name": "logits", "dtype": "float32", "axes": ["batch", 2]}
    assert {shape["batch"] for shape in facts["shapes"]} >= {1, 2, 3, 4}


def test_an_opset_may_be_asked_for(tmp_path: Path) -> None:
    made = prepared("clip-vision")
    facts = conversion.convert("legacy", made, tmp_path, opset=17, say=lambda _line: None)
    assert facts["opset"] == 17


def test_transformers_exporter_is_for_its_own_models_alone(converted: Convert) -> None:
    with pytest.raises(NotHereError):
        transformers_exporter.export(converted("resnet18").subject, None)


def climbed(name: str, folder: Path) -> tuple[str, Any]:
    """The first rung that passes, or all that was said against the others."""
    made, said = prepared(name), []
    for rung in ("dynamo", "dynamo-unoptimized", "transformers", "static-sequence", "legacy"):
        inner = folder / rung
        inner.mkdir()
        try:
            return rung, in_process(rung, made, inner)
        except Exception as error:  # noqa: BLE001 - as the child does
            said.append(f"{rung}: {type(error).__name__}: {error}"[:200])
    return "", said


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_other_architectures_pass_on_some_rung(name: str, tmp_path: Path) -> None:
    try:
        rung, facts = climbed(name, tmp_path)
    except (UnfitError, inference.NotInferredError) as error:
        rung, facts = "", [str(error)]
    if name in UNSUPPORTED:
        assert not rung, f"{name} is exported on {rung}: take it off the list"
        pytest.skip(f"{UNSUPPORTED[name]}: {facts}")
    assert rung, facts
    assert all(each["relative"] <= facts["tolerance"] for each in facts["errors"].values())


def test_at_least_95_of_100_are_supported() -> None:
    assert len(OTHERS) >= 40
    assert len(UNSUPPORTED) <= 0.05 * (len(OTHERS) + len(FAMILIES))
