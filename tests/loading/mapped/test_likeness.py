"""What makes two modules alike, and every sort of difference."""

import collections
import copy
import functools
import random
import re
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from loading.mapped.zoo import MAPPED, REFUSED, Block, Config, called
from torch import nn

from pytest_potmodels.loading.mapped.likeness import first_difference, same_tensor


class Pair:
    """Equal to every other of its class, whatever it holds."""

    def __init__(self, inside: object) -> None:
        self.inside = inside

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pair)

    def __hash__(self) -> int:
        return 0


class Slots:
    __slots__ = ("inside",)

    def __init__(self, inside: object) -> None:
        self.inside = inside


def two(change: Callable[[Any], object] = lambda _: None) -> tuple[nn.Module, nn.Module]:
    """Two modules built alike; the second is changed."""
    made = []
    for _ in range(2):
        torch.manual_seed(0)
        block: Any = Block()
        block.config, block.sizes, block.name = Config(), (4, [4], {"a": {4}}), "block"
        block.register_buffer("ids", torch.tensor([0.0, float("nan")]), persistent=False)
        made.append(block)
    change(made[1])
    return made[0], made[1]


#: A graph has a class of its own, a handle the number of its hook.
ALWAYS_OTHERS = {"a module of a graph", "a handle"}


@pytest.mark.parametrize("name", sorted({*MAPPED, "a weak reference"} - ALWAYS_OTHERS))
def test_what_is_built_twice_is_alike(name: str) -> None:
    make = MAPPED[name] if name in MAPPED else REFUSED[name][0]
    made = []
    for _ in range(2):
        torch.manual_seed(0)
        made.append(make())
    assert first_difference(*made) == ""


def set_(name: str, value: Callable[[], object]) -> Callable[[Any], object]:
    return lambda block: setattr(block, name, value())


def data(change: Callable[[torch.Tensor], object]) -> Callable[[Any], object]:
    return lambda block: change(block.first.weight.data)


def _exchange(block: Any) -> None:
    del block.ids
    block.ids = nn.Parameter(torch.zeros(2))


DIFFERENCES: dict[str, tuple[Callable[[Any], object], str]] = {
    "a number": (data(lambda w: w[0, 0].add_(1)), "first: attribute _parameters"),
    "the sign of zero": (lambda b: b.ids[0].neg_(), "model: attribute _buffers"),
    "a type": (lambda b: b.first.half(), "first: attribute _parameters"),
    "a stride": (
        lambda b: setattr(b.first.weight, "data", b.first.weight.data.t().contiguous().t()),
        "first: attribute _parameters",
    ),
    "a shape": (lambda b: b.ids.unsqueeze_(0), "model: attribute _buffers"),
    "requires_grad": (
        lambda b: b.first.weight.requires_grad_(requires_grad=False),
        "first: attribute _parameters",
    ),
    "no numbers": (lambda b: b.first.to("meta"), "first: attribute _parameters"),
    "a note on a tensor": (lambda b: setattr(b.ids, "note", 1), "model: attribute _buffers"),
    "a buffer that is saved": (
        lambda b: b._non_persistent_buffers_set.clear(),
        "model: attribute _non_persistent_buffers_set",
    ),
    "a parameter for a buffer": (
        _exchange,
        "model: attribute _parameters",
    ),
    "one tensor more": (lambda b: b.register_buffer("more", torch.zeros(1)), "attribute _buffers"),
    "one module more": (lambda b: b.add_module("third", nn.ReLU()), "submodules ['third']"),
    "one module less": (lambda b: delattr(b, "second"), "submodules ['second']"),
    "order of modules": (
        lambda b: b._modules.update(first=b._modules.pop("first")),
        "submodules in another order",
    ),
    "another class": (lambda b: setattr(b, "first", nn.Bilinear(4, 1, 4)), "Linear is Bilinear"),
    "tied weights": (lambda b: setattr(b.second, "weight", b.first.weight), "second: attribute"),
    "tied modules": (lambda b: setattr(b, "second", b.first), "attribute _modules"),
    "training": (lambda b: b.second.eval(), "second: attribute training"),
    "a hook": (
        lambda b: b.register_forward_hook(lambda *_: None),
        "model: attribute _forward_hooks",
    ),
    "an attribute more": (set_("more", lambda: 1), "model: attributes ['more']"),
    "an attribute less": (lambda b: delattr(b, "name"), "model: attributes ['name']"),
    "a string": (set_("name", lambda: "Block"), "model: attribute name"),
    "a type of number": (set_("sizes", lambda: (4.0, [4], {"a": {4}})), "attribute sizes"),
    "True for 1": (lambda b: b.sizes[1].insert(0, b.sizes[1].pop() == 4), "attribute sizes"),
    "deep inside": (lambda b: b.sizes[2]["a"].add(5), "model: attribute sizes"),
    "a list for a tuple": (set_("sizes", lambda: [4, [4], {"a": {4}}]), "attribute sizes"),
    "a configuration": (lambda b: b.config.sizes.append(1), "model: attribute config"),
    "a part of a configuration": (lambda b: vars(b.config).update(x=1), "attribute config"),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_is_found_and_named(name: str) -> None:
    change, said = DIFFERENCES[name]
    ours, stock = two(change)
    assert said in first_difference(ours, stock)
    assert first_difference(stock, ours) != ""
    assert first_difference(*two()) == ""


def _function(value: object) -> Callable[[], object]:
    return lambda: value


def _default(value: object) -> Callable[[], object]:
    def run(x: object = value) -> object:
        return x

    return run


def _cell(value: object) -> types.CellType:
    return types.CellType(value)


#: Makers of an attribute, from what it holds: two are alike if that is.
HOLDERS: dict[str, Callable[[Any], object]] = {
    "closure": _function,
    "default": _default,
    "partial": lambda value: functools.partial(print, value),
    "keyword of a partial": lambda value: functools.partial(print, end=value),
    "object": lambda value: vars(Config()) and _with(Config(), value),
    "slots": Slots,
    "equal to all": Pair,
    "method": lambda value: Pair(value).__hash__,
    "ordered": lambda value: collections.OrderedDict(a=value),
    "queue": lambda value: collections.deque([value]),
    "array of objects": lambda value: np.array([value, None], dtype=object),
    "nested": lambda value: [{"a": (functools.partial(print, _function(value)),)}],
}


def _with(config: Config, value: object) -> Config:
    vars(config)["inside"] = value
    return config


Named = collections.namedtuple("Named", "x")  # noqa: PYI024
HOLDERS["named tuple"] = Named


@pytest.mark.parametrize("holder", HOLDERS)
@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 2), ("a", "b"), (1, True), (0.0, -0.0), ([1], [2]), (None, 0)],
    ids=str,
)
def test_whatever_an_attribute_holds_is_compared(holder: str, one: object, other: object) -> None:
    hold = HOLDERS[holder]
    assert first_difference(*_holding(hold(copy.copy(one)), hold(copy.copy(one)))) == ""
    assert "attribute held" in first_difference(*_holding(hold(one), hold(other)))


def _holding(ours: object, stock: object) -> tuple[nn.Module, nn.Module]:
    made = two()
    for each, held in zip(made, (ours, stock), strict=True):
        vars(each)["held"] = held
    return made


@pytest.mark.parametrize("hold", ["list", "closure", "partial", "object", "weak"])
def test_a_module_that_is_no_child_is_compared_too(hold: str) -> None:
    """It has no name under which it would be: a skeleton has it without numbers."""
    holders: dict[str, Callable[[Any], object]] = {
        **HOLDERS, "list": lambda value: [value], "weak": weakref.ref,
    }  # fmt: skip
    layers = [nn.Linear(2, 2) for _ in range(3)]
    layers[1].load_state_dict(layers[0].state_dict())
    one, alike, other = (holders[hold](layer) for layer in layers)
    empty = holders[hold](keep := nn.Linear(2, 2, device="meta"))
    assert first_difference(*_holding(one, alike)) == ""
    assert "attribute held" in first_difference(*_holding(one, other))
    assert "attribute held" in first_difference(*_holding(empty, one))
    assert keep.weight.is_meta


@pytest.mark.parametrize("hold", ["list", "closure", "partial", "object", "weak", "method"])
def test_a_part_of_the_model_must_be_the_same_part(hold: str) -> None:
    """Two layers may be alike in all but their place."""
    makers: dict[str, Callable[[Any], object]] = {
        **HOLDERS, "list": lambda value: [value], "weak": weakref.ref,
        "method": lambda value: value.forward,
    }  # fmt: skip
    ours, stock = (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(2))
    for module in (ours, stock):
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
    for first, second, alike in ((0, 0, True), (0, 1, False), (1, 1, True)):
        vars(ours)["held"] = makers[hold](ours[first])
        vars(stock)["held"] = makers[hold](stock[second])
        assert (first_difference(ours, stock) == "") == alike


def test_a_tensor_of_the_model_must_be_the_same_tensor() -> None:
    ours, stock = (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2)) for _ in range(2))
    for module in (ours, stock):
        for parameter in module.parameters():
            nn.init.zeros_(parameter)
    vars(ours)["held"], vars(stock)["held"] = [ours[0].weight], [stock[0].weight]
    assert first_difference(ours, stock) == ""
    vars(ours)["held"] = [ours[1].weight]
    assert "attribute held" in first_difference(ours, stock)
    vars(ours)["held"] = [nn.Parameter(torch.zeros(2, 2))]
    assert "attribute held" in first_difference(ours, stock)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), complex(0, float("nan")), re.compile("a+"), torch.device("cpu"),
        torch.float16, np.float32(3), np.arange(3), range(3), slice(1, 2), frozenset({1}),
        torch.Size([1, 2]), nn.Linear, print, nn.init.zeros_, b"x", ..., random.Random(3),  # noqa: S311
        collections.defaultdict(list, a=[1]),
    ],
    ids=called,
)  # fmt: skip
def test_values_of_every_sort_are_alike_to_their_copies(value: object) -> None:
    assert first_difference(*_holding(value, copy.deepcopy(value))) == ""
    assert "attribute held" in first_difference(*_holding(value, "another"))


def test_what_cannot_be_told_counts_as_different() -> None:
    made = [(number for number in range(3)) for _ in range(2)]
    assert "attribute held" in first_difference(*_holding(*made))


def _one(*_: object) -> None: ...


def _two(*_: object) -> None: ...


def test_hooks_count_by_order_and_not_by_number() -> None:
    ours, stock = two(), two()
    ours[1].register_forward_hook(_one)
    for module in (ours[0], stock[0]):
        module.register_forward_hook(_one)
        module.register_forward_hook(_two)
    assert first_difference(ours[0], stock[0]) == ""
    stock[1].register_forward_hook(_two)
    stock[1].register_forward_hook(_one)
    assert "_forward_hooks" in first_difference(ours[0], stock[1])


def test_things_that_refer_to_each_other_are_compared_once() -> None:
    pairs = []
    for module in two():
        inner: list[Any] = [module]
        inner.append(inner)
        vars(module)["held"] = {"a": inner, "b": [inner]}
        pairs.append(module)
    assert first_difference(*pairs) == ""


def test_tensors_are_compared_by_their_bytes() -> None:
    nan = torch.tensor([float("nan"), 0.0])
    assert same_tensor(nan, nan.clone())
    assert not same_tensor(torch.tensor([0.0]), torch.tensor([-0.0]))
    assert not same_tensor(torch.zeros(2), torch.zeros(2, dtype=torch.int32))
    assert same_tensor(torch.empty(0, 3), torch.empty(0, 3))
    assert not same_tensor(torch.empty(0, 3), torch.empty(3, 0))
    assert same_tensor(torch.tensor(1j), torch.tensor(1j))
    assert same_tensor(torch.tensor(data=True), torch.tensor(data=True))
