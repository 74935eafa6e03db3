"""Build modules without memory and without drawing numbers for it."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from threading import RLock
from types import ModuleType
from typing import Any

import torch

_INIT = "torch.nn.init"
#: The modules in this package take initialisers out of torch.nn.init by name.
_BORROWERS = "torch.nn.modules"
_PATCHING = RLock()


@contextmanager
def without_numbers() -> Iterator[None]:
    """Make tensors on the meta device, where initialisers have nothing to do and cost most.

    Other threads are not affected: the device is a thread's own, and an initialiser is only
    passed over for a tensor that has no memory.
    """
    with _PATCHING, torch.device("meta"):
        replaced = [*_initialisers()]
        try:
            for module, name, initialiser in replaced:
                setattr(module, name, _sparing(initialiser))
            yield
        finally:
            for module, name, initialiser in replaced:
                setattr(module, name, initialiser)


def _initialisers() -> Iterator[tuple[ModuleType, str, Callable[..., Any]]]:
    home = sys.modules[_INIT]
    known = {name for name in vars(home) if name.endswith("_") and not name.startswith("_")}
    for module in [home, *filter(_is_module, vars(sys.modules[_BORROWERS]).values())]:
        for name in known & set(vars(module)):
            yield module, name, vars(module)[name]


def _is_module(value: Any) -> bool:
    return isinstance(value, ModuleType)


def _sparing(initialiser: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(initialiser)
    def run(tensor: torch.Tensor, *args: Any, **options: Any) -> Any:
        return tensor if tensor.is_meta else initialiser(tensor, *args, **options)

    return run
