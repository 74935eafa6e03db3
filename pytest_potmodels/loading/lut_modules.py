"""LUT networks as torch modules: one that nobody gets, and a copy of it for each test."""

import copy
import weakref
from collections.abc import Callable, Iterator

import torch
from torch import nn

from pytest_potmodels.loading import require_device
from pytest_potmodels.loading.lut_files import LutFiles
from pytest_potmodels.loading.lut_stand_in import state
from pytest_potmodels.loading.mapped.changes import listed, manners, tensors
from pytest_potmodels.loading.placement import undisturbed
from pytest_potmodels.lut import weights
from pytest_potmodels.lut.configuration import ModelConfig
from pytest_potmodels.lut.factory import build_model


class Modules:
    """Gives copies of one module; a network of some kilobytes is copied, not mapped."""

    def __init__(self, make: Callable[[], nn.Module]) -> None:
        with undisturbed():
            self._master = make()
        self._lent: list[weakref.ref[nn.Module]] = []

    def fresh(self, device: str, *, watch: bool = False) -> nn.Module:
        """A new copy on a device; `watch`: `changes` will be asked of it.

        Raises:
            UsageError: there is no such device.
        """
        with undisturbed():
            module = copy.deepcopy(self._master)
            if device != "cpu":
                require_device(device)
                module = module.to(device)
        if watch:
            self._lent.append(weakref.ref(module))
        return module

    def changes(self) -> Iterator[str]:
        """What was changed in copies that somebody still holds."""
        for module in filter(None, (each() for each in self._lent)):
            said = [listed("wrote", _written(module, self._master))]
            if told := "; ".join(filter(None, [*said, *manners(module, self._master)])):
                yield told

    def settle(self) -> None:
        """A test is over."""
        self._lent.clear()


def of_files(files: LutFiles) -> nn.Module:
    """The module of a stored network, in evaluation mode."""
    model = build_model(files.config, load_weights=False)
    weights.load(model, files.weights)
    return model.eval()


def of_stand_in(config: ModelConfig, seed: int) -> nn.Module:
    """The module of the stand-in, in evaluation mode."""
    model = build_model(config, load_weights=False)
    drawn = {name: torch.from_numpy(array) for name, array in state(config, seed).items()}
    model.load_state_dict(drawn, strict=False)  # A flag of the encoder is in no file either.
    return model.eval()


def _written(module: nn.Module, master: nn.Module) -> list[str]:
    now, before = dict(tensors(module)), dict(tensors(master))
    return [
        name
        for name in (*before, *(name for name in now if name not in before))
        if name not in now or name not in before or not _same(now[name], before[name])
    ]


def _same(now: torch.Tensor, before: torch.Tensor) -> bool:
    return now.dtype == before.dtype and torch.equal(now.detach().cpu(), before)
