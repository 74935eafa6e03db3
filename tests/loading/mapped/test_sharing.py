"""What copies may have in common."""

import enum
import functools
import re
from collections import OrderedDict, defaultdict
from typing import Any, Generic, TypeVar

import pytest
import torch
from loading.mapped.zoo import Block, Config, Slotted, Stubborn, called
from torch import nn
from torch.nn.utils import parametrizations

from pytest_potmodels.loading.mapped.sharing import give_own_class, is_flat, is_plain, is_shareable

T = TypeVar("T")


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize(
    "value",
    [
        1, 1.5, 1j, True, "a", b"a", None, ..., range(3), slice(1), (1, ("a", None)),
        frozenset({1}), torch.Size([1]), torch.float32, torch.device("cpu"), torch.strided,
        torch.channels_last, Colour.RED, re.compile("a"), nn.Linear, re, print, lambda: 1,
    ],
    ids=called,
)  # fmt: skip
def test_what_nobody_can_change_is_shared(value: object) -> None:
    assert is_shareable(value)


@pytest.mark.parametrize(
    "value",
    [
        [], {}, set(), ([],), Config(), nn.ReLU(), torch.zeros(1), OrderedDict(),
        functools.partial(print), bytearray(), Block().forward, frozenset({nn.ReLU()}),
    ],
    ids=called,
)  # fmt: skip
def test_what_can_be_changed_is_not_shared(value: object) -> None:
    assert not is_shareable(value)


@pytest.mark.parametrize(
    ("value", "flat"),
    [
        ([], True), ({}, True), (set(), True), (OrderedDict(), True), ([1, "a"], True),
        ({"a": (1, 2)}, True), ([[]], False), ({"a": {}}, False), ([nn.ReLU()], False),
        (defaultdict(list), False), ((1,), False), ({1: Config()}, False), (Config(), False),
    ],
    ids=called,
)  # fmt: skip
def test_one_level_is_enough_where_what_is_inside_is_shared(value: object, *, flat: bool) -> None:
    assert is_flat(value) == flat


class Typed(Block, Generic[T]):
    pass


class Restored(Block):
    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)  # type: ignore[no-untyped-call]


class Reduced(Block):
    def __reduce__(self) -> Any:
        return (Reduced, ())


@pytest.mark.parametrize(
    ("module", "plain"),
    [
        (Block(), True), (nn.BatchNorm1d(2), True), (nn.MultiheadAttention(4, 2), True),
        (nn.TransformerEncoderLayer(4, 2), True), (nn.ReLU(), True), (Typed[int](), True),
        (Stubborn(), False), (Restored(), False), (Reduced(), False),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_a_module_is_plain_if_python_copies_it_as_its_attributes(
    module: nn.Module, *, plain: bool
) -> None:
    assert is_plain(module) == plain
    assert is_plain(Slotted())  # Which `reach.first_lost` refuses.


def test_a_parametrized_copy_gets_a_class_of_its_own() -> None:
    layer = parametrizations.weight_norm(nn.Linear(2, 2))
    before = type(layer)
    weight = layer.weight
    give_own_class(layer)
    assert type(layer) is not before
    assert type(layer).__name__ == before.__name__ == "ParametrizedLinear"
    assert isinstance(layer, nn.Linear)
    assert torch.equal(layer.weight, weight)
    del type(layer).weight
    assert hasattr(before, "weight")
