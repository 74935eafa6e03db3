"""Where a model's numbers live and what type they have; the random state while it is made."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import nn

from pytest_potmodels.artifacts import LoadOptions
from pytest_potmodels.errors import UsageError
from pytest_potmodels.loading.options import check_dtype

Module = TypeVar("Module", bound=nn.Module)


def number_type(options: LoadOptions) -> torch.dtype:
    """The torch type that the options name; float32 without one.

    Raises:
        UnknownNameError: a number type that models are not run in.
    """
    check_dtype(options)
    chosen: torch.dtype = getattr(torch, options.dtype or "float32")
    return chosen


def place(model: Module, *, device: str, dtype: torch.dtype | None = None) -> Module:
    """Put a model in evaluation mode, on its device; without `dtype` its numbers stay as they are.

    Raises:
        UsageError: a device that does not exist here.
    """
    check_device(device)
    return model.eval().to(device=device, dtype=dtype)


def check_device(device: str) -> None:
    """Try the device with an empty tensor, before any weights are read.

    Raises:
        UsageError: it does not exist here.
    """
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise UsageError(
            f"device {device!r} cannot be used: {reason}", remedy="--pot-device cpu"
        ) from error


@contextmanager
def undisturbed() -> Iterator[None]:
    """Make a model as in a fresh process, whatever the running test has asked torch for.

    Other tests get copies of it, so it must not depend on which of them came first.
    """
    asked = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        with torch.device("cpu"), torch.inference_mode(mode=False), torch.enable_grad():
            yield
    finally:
        torch.set_default_dtype(asked)


@contextmanager
def seeded(options: LoadOptions) -> Iterator[None]:
    """Draw whatever the files do not fix from the options' seed; the global state comes back.

    Models are built on the CPU, so only its generator is touched: seeding a GPU's would
    start CUDA in a process that may still have to fork.
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(options.seed)
        yield
