"""The index of tensors: plain values and back, and nothing that points outside of the file."""

import json
from typing import Any

import pytest
import torch

from pytest_potmodels.loading.mapped.index import (
    TensorAt,
    as_json,
    contiguous_stride,
    from_json,
)

SIZE = 1 << 16
PLAIN = TensorAt(("a.weight",), "float32", (4, 3), (3, 1), 128, 48)
TENSORS = (
    PLAIN,
    TensorAt(("tied", "and.again"), "bfloat16", (16,), (1,), 256, 32),
    TensorAt(("scalar",), "int64", (), (), 320, 8),
    TensorAt(("empty",), "float32", (0, 3), (3, 1), 0, 0),
    TensorAt(("transposed",), "float32", (3, 4), (1, 3), 384, 48),
    TensorAt(("a view",), "float32", (2,), (1,), 384, 48, 5),
    TensorAt(("expanded",), "float16", (1000, 2), (0, 1), 448, 4),
    TensorAt(("channels last",), "float32", (2, 3, 4, 4), (48, 1, 12, 3), 512, 384),
    TensorAt(("one of a size",), "bool", (1, 5, 1), (5, 1, 1), 1024, 5),
    TensorAt(("at the end",), "uint8", (64,), (1,), SIZE - 64, 64),
    TensorAt(("complex",), "complex64", (2,), (1,), 1088, 16),
    TensorAt(("eight bits",), "float8_e4m3fn", (7,), (1,), 1152, 7),
)


def test_the_index_survives_being_written_as_json() -> None:
    assert from_json(json.loads(json.dumps(as_json(TENSORS))), SIZE) == TENSORS


def test_of_a_plain_tensor_only_what_matters_is_written() -> None:
    (row,) = json.loads(json.dumps(as_json([PLAIN])))
    assert row == {"names": ["a.weight"], "dtype": "float32", "shape": [4, 3], "begin": 128}


def test_what_is_plain_is_contiguous_and_alone_in_its_storage() -> None:
    plain = [each.names[0] for each in TENSORS if each.is_plain]
    ordinary = ["a.weight", "tied", "scalar", "one of a size", "at the end"]
    assert plain == [*ordinary, "complex", "eight bits"]


@pytest.mark.parametrize("shape", [(), (1,), (5,), (2, 3), (2, 1, 3), (1, 1), (4, 3, 2, 1)])
def test_contiguous_strides_are_those_of_torch(shape: tuple[int, ...]) -> None:
    assert contiguous_stride(shape) == torch.empty(shape).stride()


def row(**changed: Any) -> dict[str, Any]:
    known = {"names": ["w"], "dtype": "float32", "shape": [4, 3], "begin": 128}
    return {**known, **changed}


GOOD: list[dict[str, Any]] = [
    row(),
    row(begin=SIZE - 64, shape=[16]),
    row(stride=[0, 0], length=4),
    row(stride=[1, 4], length=48),
    row(shape=[0], begin=0),
    row(shape=[10**12], stride=[0], length=4),
]


@pytest.mark.parametrize("good", GOOD, ids=str)
def test_rows_that_lie_in_the_file_are_taken(good: dict[str, Any]) -> None:
    assert len(from_json([good], SIZE)) == 1


HOSTILE: list[Any] = [
    row(begin=-64),
    row(shape=[-4, 3]),
    row(shape=[-4, -3]),
    row(stride=[-3, 1], length=48),
    row(stride=[3, 1], offset=-1, length=48),
    row(length=-48),
    row(begin=True),
    row(shape=[True, 3]),
    row(shape=[4.0, 3]),
    row(begin=128.0),
    row(begin="128"),
    row(shape="43"),
    row(shape=["4", "3"]),
    row(shape=[[4], [3]]),
    row(shape=None),
    row(begin=None),
    row(begin=SIZE),
    row(begin=SIZE - 32 * 1024, shape=[2**20]),
    row(begin=SIZE - 64, shape=[17]),
    row(begin=2**63),
    row(shape=[2**62, 4]),
    row(shape=[2**40, 2**40]),
    row(begin=1),
    row(begin=8),
    row(begin=132),
    row(length=44),
    row(length=SIZE),
    row(stride=[3, 1], length=48, offset=1),
    row(stride=[2**40, 1], length=48),
    row(stride=[3], length=48),
    row(stride=[3, 1, 1], length=48),
    row(dtype="float23"),
    row(dtype="torch.float32"),
    row(dtype=["float32"]),
    row(dtype=None),
    row(dtype="__class__"),
    row(dtype="quint8"),
    row(dtype="bits8"),
    row(names=[]),
    row(names=None),
    row(names="weight"),
    row(names=[["weight"]]),
    row(names=[1]),
    {},
    [],
    [row()],
    "row",
    7,
    None,
]


@pytest.mark.parametrize("hostile", HOSTILE, ids=str)
def test_rows_that_do_not_lie_in_the_file_are_refused(hostile: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json([row(names=["before"]), hostile], SIZE)


@pytest.mark.parametrize("index", [None, 7, "rows", {"names": ["w"]}, True, [[]]], ids=str)
def test_what_is_no_list_of_rows_is_refused(index: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_json(index, SIZE)
