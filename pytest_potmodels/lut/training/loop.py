"""The train loop: one for all recipes, and the same bits each time on the same stack."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch.nn import functional

from pytest_potmodels.errors import LUTError
from pytest_potmodels.lut.base_model import BaseLUTModel
from pytest_potmodels.lut.configuration.model_config import ModelConfig
from pytest_potmodels.lut.configuration.overrides import overridden
from pytest_potmodels.lut.factory import build_model
from pytest_potmodels.lut.training.accuracy import Accuracy, measure
from pytest_potmodels.lut.training.augmentation import shifted
from pytest_potmodels.lut.training.images import Images
from pytest_potmodels.lut.training.recipe import Recipe
from pytest_potmodels.lut.training.stack import pinned

#: How often in a training its accuracy is looked at, and on how many images at most.
_LOOKS, _LOOKED_AT = 20, 1000
#: The parameter that a learnable mapping is while it trains.
_CONNECTIONS = "connections"


@dataclass(frozen=True)
class Epoch:
    """One pass over the images: mean loss, and now and then the accuracy on training images."""

    number: int
    of: int
    loss: float
    accuracy: Accuracy | None = None


@dataclass(frozen=True)
class Trained:
    """A model in eval mode, under the runtime values of its configuration, and how it got there."""

    model: BaseLUTModel
    epochs: tuple[Epoch, ...]


def train(
    config: ModelConfig,
    recipe: Recipe,
    images: Images,
    shape: tuple[int, int, int],
    *,
    on_epoch: Callable[[Epoch], None] = lambda _epoch: None,
) -> Trained:
    """Train a new network, and fit its encoder, to the same images.

    Args:
        config: the network; its weights, if there are some, are not read.
        recipe: how.
        images: what it learns from, and all that it sees.
        shape: (C, H, W) of an image.
        on_epoch: told of each epoch.

    Raises:
        LUTError: there are fewer images than one step takes, or the loss is no number any more.
    """
    if len(images) < recipe.batch_size:
        raise LUTError(
            f"There are {len(images)} images, fewer than batch_size {recipe.batch_size}.",
            remedy=f"batch_size: {len(images)}",
        )
    plain = {key: config.setting(key) for key in recipe.runtime}
    with pinned():
        start = overridden(config, {**recipe.runtime, "seed": recipe.seed})
        model = build_model(start.copy(pretrained=False), load_weights=False)
        model.fit_encoder(images.pixels)
        epochs = []
        for epoch in _Training(model, recipe, images, shape).run():
            model.apply_runtime_overrides(plain)
            epochs.append(_looked_at(model, epoch, images))
            model.apply_runtime_overrides(recipe.runtime)
            on_epoch(epochs[-1])
    model.freeze()
    model.apply_runtime_overrides({**plain, "seed": config.setting("seed")})
    return Trained(model.eval(), tuple(epochs))


def _looked_at(model: BaseLUTModel, epoch: Epoch, images: Images) -> Epoch:
    """The epoch with its accuracy, where it is one of those that are looked at."""
    every = -(-epoch.of // _LOOKS)
    if epoch.number % every and epoch.number != epoch.of:
        return epoch
    return replace(epoch, accuracy=measure(model, images[:_LOOKED_AT]))


class _Training:
    """A model on its way."""

    def __init__(
        self, model: BaseLUTModel, recipe: Recipe, images: Images, shape: tuple[int, int, int]
    ) -> None:
        self._model, self._recipe, self._images, self._shape = model, recipe, images, shape
        self._generator = torch.Generator().manual_seed(recipe.seed)
        self._steps = len(images) // recipe.batch_size
        groups = _groups(model, recipe)
        self._optimizer = torch.optim.Adam(groups)
        self._rates = torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer,
            [group["lr"] for group in groups],
            total_steps=self._steps * recipe.epochs,
            pct_start=recipe.warmup,
        )

    def run(self) -> Iterator[Epoch]:
        """Yield each epoch when it is over."""
        last = self._recipe.epochs
        for number in range(1, last + 1):
            loss = self._epoch()
            if not math.isfinite(loss):
                raise LUTError(
                    f"The loss is {loss} in epoch {number} of {last}.", remedy="a lower lr"
                )
            yield Epoch(number, last, loss)

    def _epoch(self) -> float:
        self._model.train()
        order = torch.randperm(len(self._images), generator=self._generator)
        size = self._recipe.batch_size
        losses = [
            self._step(self._images[order[step * size : (step + 1) * size]])
            for step in range(self._steps)
        ]
        return float(torch.stack(losses).mean())

    def _step(self, batch: Images) -> torch.Tensor:
        recipe, model, pixels = self._recipe, self._model, batch.pixels
        if recipe.shift:
            pixels = shifted(pixels, self._shape, recipe.shift, self._generator)
        loss = functional.cross_entropy(
            model(pixels), batch.labels, label_smoothing=recipe.label_smoothing
        )
        self._optimizer.zero_grad()
        (loss + model.get_regularization_loss()).backward()  # type: ignore[no-untyped-call]
        self._optimizer.step()
        self._rates.step()
        model.clamp()
        return loss.detach()


def _groups(model: BaseLUTModel, recipe: Recipe) -> list[dict[str, Any]]:
    """Tables, and connections where they are learnt, each with its highest rate."""
    connections: list[torch.nn.Parameter] = []
    tables: list[torch.nn.Parameter] = []
    for name, parameter in model.named_parameters():
        (connections if name.endswith(_CONNECTIONS) else tables).append(parameter)
    groups: list[dict[str, Any]] = [{"params": tables, "lr": recipe.lr}]
    if connections:
        rate = recipe.lr if recipe.connections_lr is None else recipe.connections_lr
        groups.append({"params": connections, "lr": rate})
    return groups
