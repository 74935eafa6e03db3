"""The ONNX form of a hardened network: the same answers, small, and always the same bytes."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from lut.hardened.circuits import by_definition, circuit, samples
from onnx.reference import ReferenceEvaluator

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.hardened import HardenedNetwork
from pytest_potmodels.lut.hardened.onnx_file import check, write_onnx
from pytest_potmodels.lut.hardened.onnx_graph import model_of


def run(path: Path, x: Any, *, plain: bool = False) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    if plain:
        level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(["logits", "counts"], {"x": x})


@pytest.mark.parametrize("inputs", [1, 2, 3, 4, 6, 9])
def test_it_gives_the_counts_of_the_definition(inputs: int, tmp_path: Path) -> None:
    network = circuit(inputs, (14, 10), seed=inputs)
    x = samples(network, 40)
    written = write_onnx(network, tmp_path / "a.onnx", images=x)
    logits, counts = run(written.path, x)
    assert counts.tolist() == [by_definition(network, each) for each in x]
    assert np.array_equal(logits, network.logits(x))
    assert (logits.dtype, counts.dtype) == (np.float32, np.int64)
    assert (written.opset, written.samples) == (18, 1040)


@pytest.mark.parametrize("count", [0, 1, 2, 63, 1000])
def test_a_batch_of_any_size_is_taken_with_and_without_optimisations(
    count: int, tmp_path: Path
) -> None:
    network = circuit(6, (40, 30), classes=3)
    path = write_onnx(network, tmp_path / "a.onnx").path
    x = samples(network, count)
    for plain in (False, True):
        logits, counts = run(path, x, plain=plain)
        assert np.array_equal(counts, network(x))
        assert np.array_equal(logits, network.logits(x))
        assert counts.shape == logits.shape == (count, 3)


def test_onnx_itself_computes_the_same_as_its_runtime() -> None:
    network = circuit(4, (14, 10), classes=5)
    x = samples(network, 30)
    evaluator = ReferenceEvaluator(model_of(network))
    logits, counts = evaluator.run(["logits", "counts"], {"x": x})
    assert np.array_equal(counts, network(x))
    assert np.array_equal(logits, network.logits(x))


def test_logits_of_a_sample_with_a_nan_are_nan(tmp_path: Path) -> None:
    network = circuit(6, (40, 30))
    x = samples(network, 5)
    x[3, 2] = np.nan
    x[1, 0] = np.inf
    logits, _ = run(write_onnx(network, tmp_path / "a.onnx").path, x)
    assert np.isnan(logits).tolist() == [[row == 3] * 2 for row in range(5)]


def test_the_same_network_is_the_same_file_of_standard_operators(tmp_path: Path) -> None:
    network = circuit(6, (40, 30))
    first = write_onnx(network, tmp_path / "a.onnx")
    second = write_onnx(circuit(6, (40, 30)), tmp_path / "b.onnx")
    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.sha256 == second.sha256
    model = onnx.load(first.path)
    onnx.checker.check_model(model, full_check=True)
    assert [(each.domain, each.version) for each in model.opset_import] == [("", 18)]
    assert not model.functions
    assert network.digest in model.doc_string
    axis = model.graph.input[0].type.tensor_type.shape.dim
    assert (axis[0].dim_param, axis[1].dim_value) == ("batch", 6)


def test_it_is_not_much_larger_than_the_network(tmp_path: Path) -> None:
    network = circuit(6, (500, 300), features=64, bits=4, classes=10)
    network.save(tmp_path / "a.hard.safetensors")
    path = write_onnx(network, tmp_path / "a.onnx").path
    assert path.stat().st_size < (tmp_path / "a.hard.safetensors").stat().st_size + 6_000


def test_it_is_never_written_over_another_file_unasked(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(b"mine")
    with pytest.raises(LUTError, match="is there already"):
        write_onnx(circuit(2, (4,)), path)
    assert path.read_bytes() == b"mine"
    write_onnx(circuit(2, (4,)), path, overwrite=True)
    assert np.array_equal(
        run(path, np.zeros((1, 6), np.float32))[1], circuit(2, (4,))(np.zeros((1, 6)))
    )


def test_images_are_taken_and_refused_as_the_network_does(tmp_path: Path) -> None:
    network = circuit(2, (4,))
    whole = np.ones((7, 2, 3), np.uint8)
    assert write_onnx(network, tmp_path / "a.onnx", images=whole).samples == 1007
    with pytest.raises(LUTError, match=r"expected samples \(N, 6\)"):
        write_onnx(network, tmp_path / "b.onnx", images=np.ones((7, 5)))
    assert not (tmp_path / "b.onnx").exists()


def flipped(network: HardenedNetwork) -> onnx.ModelProto:
    """The graph with one table turned round."""
    model = model_of(network)
    for each in model.graph.initializer:
        if each.name == "layer0_tables":
            table = onnx.numpy_helper.to_array(each).copy()
            table[0] ^= 255
            each.CopyFrom(onnx.numpy_helper.from_array(table, each.name))
    return model


def test_a_file_that_answers_otherwise_is_refused() -> None:
    network = circuit(6, (20,))
    check(network, model_of(network).SerializeToString())
    with pytest.raises(LUTError, match=r"not the network: logits of \d+ of 1000 samples differ"):
        check(network, flipped(network).SerializeToString())


def test_a_file_that_does_not_open_is_refused() -> None:
    with pytest.raises(LUTError, match="it cannot be opened"):
        check(circuit(6, (20,)), b"nothing")


def test_nothing_is_written_where_the_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = circuit(6, (20,))
    wrong = flipped(network)
    monkeypatch.setattr("pytest_potmodels.lut.hardened.onnx_graph.model_of", lambda _: wrong)
    with pytest.raises(LUTError, match="differ"):
        write_onnx(network, tmp_path / "a.onnx")
    assert not list(tmp_path.iterdir())
