"""What tests do to their models; used by tests that run in processes of their own.

Each takes a model and an input; whatever it does, the next test has the original.
"""

import ctypes
import os
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils import parameters_to_vector, parametrizations, prune, vector_to_parameters

#: What careless tests keep.
KEPT: list[Any] = []
Model = Any
Inputs = Mapping[str, torch.Tensor]


def loss(model: Model, inputs: Inputs) -> torch.Tensor:
    out = model(*inputs.values()) if "images" in inputs else model(**inputs)
    first: torch.Tensor = out if isinstance(out, torch.Tensor) else out[0]
    return first.float().pow(2).mean()


def learn(model: Model, inputs: Inputs) -> None:
    loss(model, inputs).backward()  # type: ignore[no-untyped-call]


def layer(model: Model) -> tuple[nn.Module, str]:
    """A linear or convolutional layer, as its parent and name."""
    for path, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Conv2d) and module.weight.dim() == 2:
            parent, _, name = path.rpartition(".")
            return model.get_submodule(parent), name
    raise AssertionError("no layer")


def _train(model: Model, inputs: Inputs, optimizer: torch.optim.Optimizer) -> None:
    model.train()
    for _ in range(2):
        optimizer.zero_grad()
        learn(model, inputs)
        optimizer.step()


def sgd_and_batch_norm(model: Model, inputs: Inputs) -> None:
    _train(model, inputs, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9))


def fused_adamw(model: Model, inputs: Inputs) -> None:
    _train(model, inputs, torch.optim.AdamW(model.parameters(), lr=0.1, fused=True))


def half(model: Model, inputs: Inputs) -> None:
    model.half()


def double(model: Model, inputs: Inputs) -> None:
    loss(model.double(), {k: v.double() if v.is_floating_point() else v for k, v in inputs.items()})


def meta(model: Model, inputs: Inputs) -> None:
    model.to("meta")


def requires_grad(model: Model, inputs: Inputs) -> None:
    model.requires_grad_(requires_grad=False)


def forward_hook(model: Model, inputs: Inputs) -> None:
    parent, name = layer(model)
    getattr(parent, name).register_forward_hook(lambda _m, _i, out: out * 0)
    KEPT.append(model.register_forward_pre_hook(lambda _m, _i: None))
    loss(model, inputs)


def spectral_norm(model: Model, inputs: Inputs) -> None:
    parent, name = layer(model)
    parametrizations.spectral_norm(getattr(parent, name))
    learn(model.train(), inputs)


def pruned(model: Model, inputs: Inputs) -> None:
    parent, name = layer(model)
    prune.l1_unstructured(getattr(parent, name), "weight", amount=0.5)  # type: ignore[no-untyped-call]
    prune.remove(getattr(parent, name), "weight")  # type: ignore[no-untyped-call]


def replaced_layer(model: Model, inputs: Inputs) -> None:
    parent, name = layer(model)
    setattr(parent, name, nn.Identity())
    model.forward = lambda *_args, **_options: torch.zeros(1)
    loss(model, inputs)


def data_zero(model: Model, inputs: Inputs) -> None:
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data.zero_()


def share_memory(model: Model, inputs: Inputs) -> None:
    model.share_memory()
    data_zero(model, inputs)


def changed_stride(model: Model, inputs: Inputs) -> None:
    for parameter in model.parameters():
        if parameter.dim() == 2:
            parameter.data = parameter.data.t().contiguous().t()
        parameter.data.mul_(2)
    model.to(memory_format=torch.channels_last)


def jit_trace(model: Model, inputs: Inputs) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.requires_grad_(requires_grad=False)
        traced: Any = torch.jit.trace(  # type: ignore[no-untyped-call]
            model if "images" in inputs else lambda ids: loss(model, {"input_ids": ids}),
            tuple(inputs.values()),
            check_trace=False,
        )
    KEPT.append(traced)
    data_zero(model, inputs)


def deleted_buffer(model: Model, inputs: Inputs) -> None:
    for module in model.modules():
        for name in list(vars(module)["_buffers"]):
            delattr(module, name)
    parent, name = layer(model)
    delattr(parent, name)


def numpy_write(model: Model, inputs: Inputs) -> None:
    for parameter in model.parameters():
        parameter.detach().numpy().fill(3)


def dlpack_write(model: Model, inputs: Inputs) -> None:
    for parameter in model.parameters():
        np.from_dlpack(parameter.detach()).reshape(-1)[:] = 3
        torch.from_dlpack(parameter.detach()).add_(1)  # type: ignore[attr-defined]


def ctypes_write(model: Model, inputs: Inputs) -> None:
    for parameter in model.parameters():
        ctypes.memset(parameter.data_ptr(), 7, parameter.nbytes)


def vector(model: Model, inputs: Inputs) -> None:
    vector_to_parameters(parameters_to_vector(model.parameters()) * 0, model.parameters())


def untied(model: Model, inputs: Inputs) -> None:
    for module in model.modules():
        for name, parameter in list(vars(module)["_parameters"].items()):
            if parameter is not None:
                setattr(module, name, nn.Parameter(torch.zeros_like(parameter)))


def configuration(model: Model, inputs: Inputs) -> None:
    for module in model.modules():
        for value in list(vars(module).values()):
            if hasattr(value, "to_dict"):
                value.made_up = [1]
        module.train()
        setattr(module, "made_up", 1)  # noqa: B010  Its type knows of no such thing.


def kept_model(model: Model, inputs: Inputs) -> None:
    KEPT.append(model)
    data_zero(model, inputs)


def kept_piece(model: Model, inputs: Inputs) -> None:
    data_zero(model, inputs)
    KEPT.append(next(model.parameters()).detach().numpy())
    KEPT.append(loss(model, inputs))


def forked(model: Model, inputs: Inputs) -> None:
    """The child writes, as do both after it."""
    data_zero(model, inputs)
    child = os.fork()
    if child == 0:
        for parameter in model.parameters():
            parameter.data.fill_(5)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert not next(model.parameters()).any()


def compiled(model: Model, inputs: Inputs) -> None:
    run = torch.compile(model, backend="eager")
    learn(run, inputs)
    data_zero(run, inputs)
    KEPT.append(run)


def in_a_cycle(model: Model, inputs: Inputs) -> None:
    model.__dict__["itself"] = [model]
    data_zero(model, inputs)


def resized(model: Model, inputs: Inputs) -> None:
    for parameter in model.parameters():
        parameter.data = parameter.data[:1]


MUTATIONS: tuple[Callable[[Model, Inputs], None], ...] = (
    sgd_and_batch_norm,
    fused_adamw,
    half,
    double,
    meta,
    requires_grad,
    forward_hook,
    spectral_norm,
    pruned,
    replaced_layer,
    data_zero,
    share_memory,
    changed_stride,
    jit_trace,
    deleted_buffer,
    numpy_write,
    dlpack_write,
    ctypes_write,
    vector,
    untied,
    configuration,
    kept_model,
    kept_piece,
    forked,
    compiled,
    in_a_cycle,
    resized,
)
