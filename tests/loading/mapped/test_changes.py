"""What a test did to its model, in the words of the report."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from loading.mapped.zoo import MAPPED, Block
from torch import nn
from torch.nn.utils import parametrizations, prune

X = torch.arange(12.0).view(3, 4) / 5


def _model() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential()
    model.add_module("body", Block())
    model.add_module("norm", nn.BatchNorm1d(4))
    model.add_module("drop", nn.Dropout())
    return model.eval()


def said(desk: Any, scan: Any, change: Callable[[Any], object]) -> str:
    copies = desk.copies(_model(), scan=scan)
    module = copies.copy()
    change(module)
    return "; ".join(copies.changes())


def _write_through_dlpack(module: Any) -> None:
    np.from_dlpack(module.body.first.bias.detach())[0] = 7


def _write_through_ctypes(module: Any) -> None:
    ctypes.memset(module.body.first.bias.data_ptr(), 1, 2)


def _train(module: Any) -> None:
    module.train()(X).sum().backward()
    torch.optim.SGD(module.parameters(), lr=0.1).step()
    module.zero_grad()
    module.eval()


def _prune(layer: Any) -> None:
    prune.random_unstructured(layer, "weight", amount=0.5)  # type: ignore[no-untyped-call]


def _replace(module: Any) -> None:
    module.body.second = nn.Bilinear(4, 4, 4)


def _delete(module: Any) -> None:
    del module.norm.running_mean


CHANGES: dict[str, tuple[Callable[[Any], object], str]] = {
    "data": (lambda m: m.body.first.weight.data.zero_(), "wrote body.first.weight"),
    "numpy": (
        lambda m: m.body.first.bias.detach().numpy().fill(3),
        "wrote body.first.bias",
    ),
    "dlpack": (_write_through_dlpack, "wrote body.first.bias"),
    "ctypes": (_write_through_ctypes, "wrote body.first.bias"),
    "a buffer": (lambda m: m.norm.num_batches_tracked.add_(1), "wrote norm.num_batches_tracked"),
    "three tensors": (
        lambda m: [p.data.zero_() for p in m.body.parameters()],
        "wrote body.first.weight, body.first.bias, body.second.weight and 1 more",
    ),
    "half": (
        lambda m: m.body.second.half(),
        "replaced body.second.weight, body.second.bias",
    ),
    "meta": (
        lambda m: m.norm.to("meta"),
        "replaced norm.weight, norm.bias, norm.running_mean and 2 more",
    ),
    "share_memory": (
        lambda m: m.body.first.share_memory(),
        "replaced body.first.weight, body.first.bias",
    ),
    "a stride": (
        lambda m: setattr(m.body.first.weight, "data", m.body.first.weight.data.t().clone()),
        "replaced body.first.weight",
    ),
    "a layer": (
        _replace,
        "replaced body.second.weight, body.second.bias; exchanged modules body.second; ",
    ),
    "a deleted buffer": (_delete, "replaced norm.running_mean"),
    "a new buffer": (lambda m: m.register_buffer("n", torch.zeros(1)), "replaced n"),
    "a new layer": (lambda m: m.append(nn.ReLU()), "exchanged modules 3"),
    "a deleted layer": (lambda m: delattr(m, "drop"), "exchanged modules drop"),
    "training": (lambda m: m.train(), "switched between training and evaluation"),
    "training of a part": (lambda m: m.drop.train(), "switched between training and evaluation"),
    "a hook": (lambda m: m.drop.register_forward_hook(print), "added hooks"),
    "a hook on the way back": (
        lambda m: m.register_full_backward_hook(lambda *_: None),
        "added hooks",
    ),
    "a hook before": (lambda m: m.register_forward_pre_hook(lambda *_: None), "added hooks"),
    "requires_grad": (
        lambda m: m.body.requires_grad_(requires_grad=False),
        "changed requires_grad",
    ),
    "gradients": (lambda m: m(X).sum().backward(), "left gradients"),
    "spectral norm": (
        lambda m: parametrizations.spectral_norm(m.body.first),
        "replaced body.first.weight, body.first.parametrizations.weight.original, ",
    ),
    "pruning": (
        lambda m: _prune(m.body.first),
        "replaced body.first.weight, body.first.weight_orig, body.first.weight_mask; added hooks",
    ),
    "several": (
        lambda m: (m.train(), m.norm.weight.data.fill_(2)),
        "wrote norm.weight; switched between training and evaluation",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_told(name: str, desk: Any, scan: Any) -> None:
    change, expected = CHANGES[name]
    assert said(desk, scan, change).startswith(expected)


def test_training_is_told_by_what_it_leaves(desk: Any, scan: Any) -> None:
    wrote = "wrote body.first.weight, body.first.bias, body.second.weight and 5 more"
    assert said(desk, scan, _train).startswith(wrote[:40])
    assert "switched" not in said(desk, scan, _train)
    assert "gradients" not in said(desk, scan, _train)


def _forward(module: Any) -> None:
    with torch.no_grad():
        module(X)
    with torch.inference_mode():
        module(X)
    module(X)


def _look(module: Any) -> None:
    module.state_dict()
    module.body.first.weight.detach().numpy().sum()
    str(module)
    np.from_dlpack(module.body.first.bias.detach()).sum()
    module.body.first.weight.detach().clone().zero_()
    module.to("cpu")
    module.float()


def _put_right(module: Any) -> None:
    weight = module.body.first.weight.data
    weight.add_(1.0)
    weight.copy_(module.state_dict()["body.first.weight"])


def _write_the_same(module: Any) -> None:
    weight = module.body.first.weight.data
    weight.copy_(weight.clone())
    module.train().eval()
    module.register_forward_hook(print).remove()


def _gradient_of_the_input(module: Any) -> None:
    inputs = X.clone().requires_grad_()
    torch.autograd.grad(module(inputs).sum(), [inputs, *module.parameters()])


NOTHING = (_forward, _look, _write_the_same, _gradient_of_the_input)


@pytest.mark.parametrize("act", NOTHING)
def test_a_test_that_only_uses_its_model_is_not_named(
    act: Callable[[Any], None], desk: Any, scan: Any
) -> None:
    assert said(desk, scan, act) == ""


@pytest.mark.parametrize("name", MAPPED)
def test_no_sort_of_module_is_said_to_be_changed_by_its_use(
    name: str, desk: Any, scan: Any
) -> None:
    copies = desk.copies(MAPPED[name]().eval(), scan=scan)
    module = copies.copy()
    with torch.no_grad():
        module(X)
    assert copies.changes() == []


def test_of_a_model_that_is_gone_its_bytes_are_told(desk: Any, scan: Any) -> None:
    copies = desk.copies(_model(), scan=scan)
    module: Any = copies.copy().train()
    module.norm.bias.data.fill_(4)
    del module
    assert copies.changes() == ["wrote norm.bias"]
