"""From a request to a file: keys, what came as ONNX, what is found and what is not."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from machine import Machine
from onnx import TensorProto, helper
from onnx_export.asking import Answer, ask, open_cache, request
from onnx_export.conftest import MINILM
from standin import StandIn

from pytest_potmodels import onnx_export
from pytest_potmodels.artifacts import LoadOptions, ModelRequest
from pytest_potmodels.errors import ModelConversionError
from pytest_potmodels.onnx_export import Input, Recipe, ladder, order, recipes
from pytest_potmodels.onnx_export.exporting import _order
from pytest_potmodels.onnx_export.order import Order
from pytest_potmodels.pipeline import Pipeline
from pytest_potmodels.store.derived_manifest import read


def doubling() -> bytes:
    """A graph of another origin: y = x + x."""
    axes: list[str | int | None] = ["rows", 3]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "doubling",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, axes)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, axes)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(made.SerializeToString())


def wish(pipeline: Pipeline, text: str) -> ModelRequest:
    return pipeline.catalog.request(text)


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    return Machine(site, tmp_path / "cache")


def test_what_came_as_onnx_is_checked_and_stays_where_it_is(
    machine: Machine, site: StandIn
) -> None:
    data = doubling()
    url = site.add_download("/a/doubling.onnx", data)
    pipeline = machine.pipeline()
    wanted = wish(pipeline, f"{url}#sha256={hashlib.sha256(data).hexdigest()}")
    assert onnx_export.find(pipeline, wanted) is None
    found = onnx_export.exported(pipeline, wanted)
    assert (found.source, found.rung, found.opset, found.fresh) == (
        "original",
        "original",
        17,
        True,
    )
    assert found.inputs == (onnx_export.OnnxInput("x", "float32", ("rows", 3)),)
    assert found.outputs == (onnx_export.OnnxInput("y", "float32", ("rows", 3)),)
    assert found.file.read_bytes() == data
    assert found.size == len(data)
    assert found.file.parent == pipeline.acquire(wanted).path
    session = onnxruntime.InferenceSession(found.file, providers=["CPUExecutionProvider"])
    fed = {"x": np.ones((2, 3), np.float32)}
    assert np.asarray(session.run(None, fed)[0]).sum() == 12
    again = onnx_export.find(pipeline, wanted)
    assert again is not None
    assert (again.key, again.digest, again.fresh) == (found.key, found.digest, False)


def test_what_only_calls_itself_onnx_is_refused(machine: Machine, site: StandIn) -> None:
    proto = onnx.load_from_string(doubling())
    proto.graph.node[0].input[0] = "nowhere"
    pipeline = machine.pipeline()
    wanted = wish(pipeline, site.add_download("/a/broken.onnx", proto.SerializeToString()))
    with pytest.raises(ModelConversionError, match="no ONNX file that can be run"):
        onnx_export.exported(pipeline, wanted)
    assert list((machine.cache / "derived").glob("*")) == []


def test_a_key_is_of_all_that_a_file_depends_on(tmp_path: Path) -> None:
    pipeline = open_cache(tmp_path)
    vision, language = request("mock:vision"), request("mock:language")
    stored = pipeline.acquire(vision)
    usual = _order(pipeline, stored, vision)
    seeded = replace(vision, options=LoadOptions(seed=1))
    others = [
        _order(pipeline, pipeline.acquire(language), language),
        _order(pipeline, stored, vision, opset=18),
        _order(pipeline, stored, vision, part="features"),
        _order(pipeline, stored, vision, samples=[{"x": np.ones(2)}]),
        _order(pipeline, stored, vision, samples=[{"x": np.zeros(2)}]),
        _order(pipeline, stored, vision, family="vit"),
        _order(pipeline, stored, seeded),
        replace(usual, recipes=(Recipe("r", (Input("x", (2,)),), classes=("A",)),)),
    ]
    assert len({each.key for each in (usual, *others)}) == len(others) + 1
    assert _order(pipeline, stored, vision).key == usual.key


def test_an_order_crosses_to_the_child_whole(tmp_path: Path) -> None:
    pipeline = open_cache(tmp_path)
    recipes_ = (Recipe("r", (Input("x", ("batch", 2)),), classes=("A",), sizes={"batch": (2, 1)}),)
    wanted = request(MINILM)
    asked = Order(pipeline.acquire(wanted), LoadOptions(task="fill-mask"), "encoder", 18, recipes_)
    there = order.from_json(asked.as_json())
    assert (there.key, there.recipes) == (asked.key, recipes_)
    assert there.stored.path == asked.stored.path


def test_only_what_is_there_is_found(cold: tuple[Path, list[Answer]], tmp_path: Path) -> None:
    assert onnx_export.find(open_cache(tmp_path), request(MINILM)) is None
    pipeline = open_cache(cold[0])
    assert onnx_export.find(pipeline, request(MINILM)) is not None
    assert onnx_export.find(pipeline, request(MINILM), opset=17) is None
    assert onnx_export.find(pipeline, request("huggingface:org/unknown")) is None


def test_a_registered_recipe_asks_for_another_file(
    cold: tuple[Path, list[Answer]], own_recipes: None
) -> None:
    mine = Recipe("mine", (Input("input_ids", ("batch", "sequence"), "ids"),), ("bert",))
    onnx_export.register_recipe(mine)
    assert recipes.registered() == (mine,)
    assert onnx_export.find(open_cache(cold[0]), request(MINILM)) is None


def test_a_recipe_for_other_models_asks_for_the_same_file(
    cold: tuple[Path, list[Answer]], own_recipes: None
) -> None:
    onnx_export.register_recipe(Recipe("t5", (Input("input_ids", ("batch",), "ids"),), ("t5",)))
    assert onnx_export.find(open_cache(cold[0]), request(MINILM)) is not None


@pytest.mark.slow
def test_a_model_that_the_new_exporter_refuses_goes_further_down(tmp_path: Path) -> None:
    from onnx_export.zoo import OTHERS  # noqa: PLC0415

    model = OTHERS["xlnet"].model()
    model.save_pretrained(tmp_path / "xlnet")  # type: ignore[operator]
    answer = ask(tmp_path / "cache", f"file:{tmp_path / 'xlnet'}")
    assert "error" not in answer
    manifest = read(Path(answer["file"]).parent)
    tried = [each["rung"] for each in manifest.facts["tried"]]
    assert tried == list(ladder.RUNGS[: ladder.RUNGS.index(answer["rung"])])
    assert "aten.sub" in manifest.facts["tried"][0]["why"]
    assert answer["worst"] <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("part", ["encoder", "decoder"])
def test_a_part_of_a_model_is_exported_alone(part: str, tmp_path: Path) -> None:
    from onnx_export.zoo import FAMILIES  # noqa: PLC0415

    model = FAMILIES["whisper"].model()
    model.save_pretrained(tmp_path / "whisper")  # type: ignore[operator]
    found = onnx_export.exported(
        open_cache(tmp_path / "cache"), request(f"file:{tmp_path / 'whisper'}"), part=part
    )
    assert (found.recipe, found.rung) == (f"whisper-{part}", "dynamo")


@pytest.mark.slow
def test_half_precision_has_a_tolerance_of_its_own(tmp_path: Path) -> None:
    wanted = replace(request(MINILM), options=LoadOptions(dtype="float16"))
    found = onnx_export.exported(open_cache(tmp_path), wanted)
    assert found.outputs[0].dtype == "float16"
    assert 1e-6 < found.worst <= 1e-2
