"""Weights for stand-ins: drawn from a seed of their own, the same bits in every process."""

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)


def build(make: Callable[[], Module], *, seed: int) -> Module:
    """Build a module in evaluation mode whose parameters follow from `seed` alone."""
    # The constructors draw from torch's global generator; the fork gives a test its own random
    # numbers back. (The meta device draws nothing, but brings sympy: 0.85 s.)
    with torch.random.fork_rng(devices=[]):
        module = make()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for _, parameter in sorted(module.named_parameters()):
            parameter.uniform_(-_bound(parameter), _bound(parameter), generator=generator)
    return module.eval()


def _bound(parameter: nn.Parameter) -> float:
    """One over the root of the fan-in, so that activations keep their scale."""
    fan_in = parameter[0].numel() if parameter.dim() > 1 else parameter.numel()
    return 1 / math.sqrt(fan_in)
