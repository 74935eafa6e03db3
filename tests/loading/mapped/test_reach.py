"""What a model leads to, by whatever way."""

import collections
import functools
import gc
import logging
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from pytest_potmodels.loading.mapped.reach import first_lost, first_shared, overlapping, parts


class Box:
    def __init__(self, held: object) -> None:
        self.held = held

    def method(self) -> object:
        return self.held


class Slots:
    __slots__ = ("held",)

    def __init__(self, held: object) -> None:
        self.held = held


def _function(held: object) -> Callable[[], object]:
    def inner() -> object:
        return held

    def outer() -> object:
        return inner()

    return outer


def _keyword(held: object) -> Callable[..., object]:
    def run(*, known: object = held) -> object:
        return known

    return run


def _local(held: object) -> object:
    local = threading.local()
    local.a = held
    return local


def _generator(held: object) -> Any:
    running = (each for each in [held, held])
    next(running)
    return running


WAYS: dict[str, Callable[[Any], object]] = {
    "list": lambda held: [[held]],
    "tuple": lambda held: ((held,),),
    "value of a dict": lambda held: {"a": {"b": held}},
    "key of a dict": lambda held: {held: 1},
    "set": lambda held: {held},
    "queue": lambda held: collections.deque([held]),
    "object": Box,
    "slots": Slots,
    "bound method": lambda held: Box(held).method,
    "partial": lambda held: functools.partial(print, held),
    "keyword of a partial": lambda held: functools.partial(print, end=held),
    "closure": _function,
    "keyword": _keyword,
    "attribute of a function": lambda held: functools.wraps(Box(held).method)(lambda: None),
    "weak reference": weakref.ref,
    "object with a weak reference": lambda held: Box(weakref.ref(held)),
    "weak values": lambda held: weakref.WeakValueDictionary({"a": held}),
    "weak keys": lambda held: weakref.WeakKeyDictionary({held: "a"}),
    "weak set": lambda held: weakref.WeakSet([held]),
    "generator": _generator,
    "mapping proxy": lambda held: types.MappingProxyType({"a": held}),
    "thread local": _local,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "make",
    [lambda: nn.Linear(1, 1), lambda: torch.zeros(1), torch.Generator],
    ids=["module", "tensor", "generator"],
)
def test_every_way_is_followed(way: str, make: Callable[[], Any]) -> None:
    held = make()
    root = nn.Module()
    root.inner = nn.Module()
    vars(root.inner)["way"] = WAYS[way](held)
    assert ("inner.way", id(held)) in [(name, id(part)) for name, part in parts(root)]
    assert first_shared(root, held).startswith("inner.way leads to a ")
    assert first_shared(root, make()) == ""


def test_what_belongs_to_no_model_is_not_followed() -> None:
    global_layer = nn.Linear(1, 1)
    logging.getLogger("models").layer = global_layer  # type: ignore[attr-defined]
    root = nn.Module()
    vars(root)["held"] = [logging.getLogger("models"), nn.Linear, torch, test_every_way_is_followed]
    assert [type(part) for _, part in parts(root)] == [nn.Module]
    vars(logging.getLogger("models")).pop("layer")


def test_parts_are_named_once_by_the_way_they_are_registered() -> None:
    root = nn.Sequential(nn.Linear(1, 1), nn.BatchNorm1d(1))
    root.again = root[0]
    vars(root[1])["held"] = root[0].weight
    named = [name for name, _ in parts(root)]
    assert len(named) == len(set(named))
    assert set(named) == {
        "", "0", "1", "0.weight", "0.bias", "1.weight", "1.bias",
        "1.running_mean", "1.running_var", "1.num_batches_tracked",
    }  # fmt: skip


def test_a_module_may_hold_itself() -> None:
    root = nn.Module()
    vars(root)["itself"] = [root, vars(root)]
    assert [part for _, part in parts(root)] == [root]


def test_an_object_that_is_no_module_is_looked_through() -> None:
    layer = nn.Linear(1, 1)
    assert first_shared(Box([layer]), layer) == "it leads to a Linear that all copies would share"
    assert first_shared(Box([nn.Linear(1, 1)]), Box([layer])) == ""


def test_looking_leaves_nothing_behind() -> None:
    layer = nn.Linear(1, 1)
    gone = weakref.ref(layer)
    assert len(list(parts(Box(layer)))) == 3
    del layer
    gc.collect()
    assert gone() is None


def test_groups_of_tensors_in_one_memory_are_found() -> None:
    both = torch.rand(4)
    root = nn.Module()
    root.register_buffer("left", both[:2])
    root.register_buffer("right", both[2:])
    root.register_buffer("alone", torch.rand(2))
    root.register_buffer("empty", torch.empty(0))
    root.register_buffer("nowhere", torch.empty(2, device="meta"))
    root.register_buffer("sparse", torch.eye(2).to_sparse())
    vars(root)["whole"] = [both]
    (group,) = overlapping(root)
    assert [name for name, _ in group] == ["left", "right", "whole"]


def test_tied_weights_are_one_tensor_and_no_group() -> None:
    root = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    root[0].weight = root[1].weight
    assert overlapping(root) == []


def test_what_copies_would_lack_is_named() -> None:
    root: Any = nn.Sequential(nn.Linear(2, 2))
    assert first_lost(root) == ""
    hook = root[0].bias.register_hook(lambda grad: grad)
    assert first_lost(root) == "0.bias has hooks, and torch copies tensors without them"
    hook.remove()
    assert first_lost(root) == ""
    root[0].weight.register_post_accumulate_grad_hook(lambda _: None)
    assert first_lost(Box(root)) == "0.weight has hooks, and torch copies tensors without them"
