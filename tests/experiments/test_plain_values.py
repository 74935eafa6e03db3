"""What becomes of metrics."""

import enum
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from pytest_potmodels.errors import UsageError
from pytest_potmodels.experiments.plain_values import LARGEST, as_plain


class Word(enum.StrEnum):
    FINE = "fine"


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        ({"a": {"b": [1, 2.5, "x", None, True]}}, {"a": {"b": [1, 2.5, "x", None, True]}}),
        (torch.tensor(0.1), 0.10000000149011612),
        (torch.tensor([1, 2]), [1, 2]),
        (torch.tensor(1.5, dtype=torch.bfloat16, requires_grad=True), 1.5),
        (torch.tensor([True])[0], True),
        (np.float64(0.1), 0.1),
        (np.int32(7), 7),
        (np.array([[1.0, 2.0]]), [[1.0, 2.0]]),
        ((1, 2), [1, 2]),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        ([np.float32("-inf")], ["-inf"]),
        (torch.tensor([float("nan"), 1.0]), ["nan", 1.0]),
        (Word.FINE, "fine"),
        (-0.0, -0.0),
    ],
    ids=repr,
)
def test_numbers_words_and_what_frameworks_wrap_them_in(value: Any, plain: Any) -> None:
    made = as_plain(value)
    assert made == plain
    assert json.loads(json.dumps(made, allow_nan=False)) == plain
    assert str(made) == str(plain)  # The sign of zero, and a bool that is no int.


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"when": datetime(2026, 1, 1, tzinfo=UTC)}, "when is datetime.datetime(2026"),
        ({"a": {"where": Path("x")}}, "a.where is "),
        ({"losses": [1.0, {2.0}]}, "losses.1 is {2.0} (set)"),
        ({"c": 1j}, "c is 1j (complex)"),
        ({"c": torch.tensor(1j)}, "c is 1j (complex)"),
        ({"epochs": {1: 0.5}}, "epochs has the key 1 (int)"),
        ({"weights": torch.zeros(LARGEST + 1)}, f"weights has {LARGEST + 1} numbers"),
        ({"weights": np.zeros(LARGEST + 1)}, f"weights has {LARGEST + 1} numbers"),
        ({"losses": [0] * (LARGEST + 1)}, f"losses has {LARGEST + 1} numbers"),
        ({"s": torch.eye(2).to_sparse()}, "s is a tensor that is no list of numbers"),
        ({"m": torch.empty(2, device="meta")}, "m is a tensor that is no list of numbers"),
        ({"huge": 10**400}, "huge is 1000"),
        ({"model": torch.nn.Linear(1, 1)}, "model is Linear("),
    ],
    ids=["datetime", "path", "set", "complex", "complex-tensor", "key", "tensor", "array", "list",
         "sparse", "meta", "huge", "module"],
)  # fmt: skip
def test_what_json_has_not_is_an_error_that_names_the_key(value: Any, named: str) -> None:
    with pytest.raises(UsageError) as raised:
        as_plain(value)
    assert named in raised.value.message
    assert raised.value.remedy


def test_what_contains_itself_is_an_error() -> None:
    endless: list[Any] = []
    endless.append(endless)
    with pytest.raises(UsageError, match="which JSON does not have"):
        as_plain({"endless": endless})
