"""A session of an ONNX file: what it is fed, what it answers, and what it never reads."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from loading.graphs import dense, sample
from onnx import TensorProto, helper

from pytest_potmodels.errors import Reason, UnavailableError, UnknownNameError, UsageError
from pytest_potmodels.loading.onnx_session import open_session, ports, run

TABLE = "x  float32  (batch, 8)"


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return open_session(dense(tmp_path_factory.mktemp("graph")), threads=1, device="cpu")


def test_arrays_by_name_and_by_position_give_arrays(session: Any) -> None:
    by_name, by_place = run(session, (), {"x": sample()}), run(session, (sample(),), {})
    assert isinstance(by_name["y"], np.ndarray)
    assert np.array_equal(by_name["y"], by_place["y"])
    assert by_name["y"].shape == (3, 8)


def test_a_mapping_will_do_as_a_tokenizer_gives_it(session: Any) -> None:
    assert np.array_equal(run(session, ({"x": sample()},), {}).y, run(session, (sample(),), {}).y)


def test_tensors_give_tensors_whatever_they_require(session: Any) -> None:
    given = torch.from_numpy(sample()).requires_grad_()
    out = run(session, (given,), {})
    assert isinstance(out.y, torch.Tensor)
    assert torch.equal(out.y, torch.from_numpy(run(session, (sample(),), {}).y))
    assert out.total.shape == ()


def test_tensors_that_are_no_contiguous_memory_are_read_rightly(session: Any) -> None:
    turned = torch.from_numpy(sample(rows=8).T.copy()).T
    assert np.array_equal(run(session, (turned,), {}).y, run(session, (sample(rows=8),), {}).y)


def test_no_rows_are_an_answer_without_rows(session: Any) -> None:
    assert run(session, (sample(rows=0),), {}).y.shape == (0, 8)


@pytest.mark.parametrize("given", [torch.zeros(2, 8, device="meta"), torch.eye(8).to_sparse()])
def test_a_tensor_without_plain_numbers_is_an_error(session: Any, given: torch.Tensor) -> None:
    with pytest.raises(UsageError, match="input 'x' is no dense tensor"):
        run(session, (given,), {})


def test_a_tensor_that_is_negated_lazily_is_read_rightly(session: Any) -> None:
    plain = torch.from_numpy(sample())
    lazy = torch.complex(plain, -plain).conj().imag
    assert lazy.is_neg()
    assert torch.equal(run(session, (lazy,), {}).y, run(session, (plain,), {}).y)


def test_sequences_come_as_lists_and_are_not_fed(tmp_path: Path) -> None:
    row: list[str | int | None] = ["batch", 4]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, row)
    rows = helper.make_tensor_sequence_value_info("rows", TensorProto.FLOAT, None)
    split = helper.make_graph(
        [helper.make_node("SplitToSequence", ["x"], ["rows"])], "s", [x], [rows]
    )
    session = open_session(saved(split, tmp_path / "split"), threads=1, device="cpu")
    assert [str(each) for each in ports(session.get_outputs())] == ["rows: seq(tensor(float)) ()"]
    assert all(
        isinstance(each, torch.Tensor) for each in run(session, (torch.ones(2, 4),), {}).rows
    )
    assert all(
        isinstance(each, np.ndarray) for each in run(session, (np.ones((2, 4), "f"),), {}).rows
    )
    join = helper.make_node("ConcatFromSequence", ["rows"], ["x"], axis=0)
    joined = helper.make_graph([join], "j", [rows], [x])
    session = open_session(saved(joined, tmp_path / "join"), threads=1, device="cpu")
    with pytest.raises(UsageError, match=r"(?s)rows is no tensor.*session itself"):
        run(session, ([np.ones((1, 4), "f")],), {})


def saved(graph: onnx.GraphProto, file: Path) -> Path:
    opsets = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), file)
    return file


def test_outputs_are_had_by_name_attribute_and_position(session: Any) -> None:
    out = run(session, (sample(),), {})
    assert list(out) == ["y", "total"]
    assert out.y is out["y"] is out[0] is out.to_tuple()[0]
    assert len(out[:2]) == 2
    with pytest.raises(AttributeError, match=r"no output 'totl'; there are: y, total.*'total'"):
        _ = out.totl
    with pytest.raises(KeyError, match="no output 'z'"):
        out["z"]
    with pytest.raises(IndexError):
        out[2]


WRONG: dict[str, tuple[dict[str, Any], type[UsageError], str]] = {
    "an unknown name": ({"X": 0}, UnknownNameError, "Did you mean 'x'"),
    "nothing": ({}, UsageError, "inputs are missing: x"),
    "none": ({"x": None}, UsageError, "inputs are missing: x"),
    "float64": ({"x": np.zeros((2, 8))}, UsageError, r"is float64, not float32"),
    "int64 tensor": ({"x": torch.zeros(2, 8).long()}, UsageError, r"\.to\(torch\.float32\)"),
    "a list": ({"x": [[0.0] * 8]}, UsageError, "is a list, no array or tensor"),
    "a rank": ({"x": np.zeros(8, "float32")}, UsageError, r"shape \(8,\), not \(batch, 8\)"),
    "a size": ({"x": np.zeros((2, 9), "float32")}, UsageError, r"shape \(2, 9\), not \(batch, 8\)"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_it_does_not_take_is_an_error_with_the_table(session: Any, case: str) -> None:
    given, kind, said = WRONG[case]
    with pytest.raises(kind, match=said) as raised:
        run(session, (), dict(given))
    assert TABLE in str(raised.value)


def test_too_many_and_twice_are_errors(session: Any) -> None:
    with pytest.raises(UsageError, match="2 inputs are too many"):
        run(session, (sample(), sample()), {})
    with pytest.raises(UsageError, match="by position and by name"):
        run(session, (sample(),), {"x": sample()})


def test_ports_say_what_there_is(session: Any) -> None:
    assert [str(each) for each in ports(session.get_inputs())] == ["x: float32 (batch, 8)"]


def test_weights_beside_the_file_are_read(tmp_path: Path) -> None:
    whole = open_session(dense(tmp_path / "whole"), threads=1, device="cpu")
    apart = open_session(dense(tmp_path / "apart", data="w.data"), threads=1, device="cpu")
    assert np.array_equal(run(whole, (sample(),), {}).y, run(apart, (sample(),), {}).y)


@pytest.mark.parametrize("way", ["above", "absolute", "link"])
def test_weights_elsewhere_are_not(tmp_path: Path, way: str) -> None:
    bad = {"above": "../w.data", "absolute": str(tmp_path / "w.data"), "link": "linked.data"}[way]
    file = dense(tmp_path / "model", data="w.data", bad=bad)
    (file.parent / "w.data").rename(tmp_path / "w.data")
    if way == "link":
        try:
            (file.parent / "linked.data").symlink_to(tmp_path / "w.data")
        except OSError:
            pytest.skip("no symbolic links here")
    with pytest.raises(UnavailableError) as raised:
        open_session(file, threads=1, device="cpu")
    assert raised.value.reason is Reason.NOT_LOADABLE


def test_what_is_no_graph_says_which_file(tmp_path: Path) -> None:
    file = tmp_path / "m.onnx"
    file.write_bytes(b"no graph")
    with pytest.raises(UnavailableError, match=r"cannot open .*m\.onnx") as raised:
        open_session(file, threads=1, device="cpu")
    assert raised.value.reason is Reason.NOT_LOADABLE


def test_a_device_without_a_provider_is_an_error(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this ONNX Runtime has CUDA")
    with pytest.raises(UsageError, match="no CUDAExecutionProvider for 'cuda:1'"):
        open_session(dense(tmp_path), threads=1, device="cuda:1")
