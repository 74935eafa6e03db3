"""Give a module the tensors of a mapped file, in place of its own."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import torch
from torch import nn

from pytest_potmodels.loading.mapped.casting import Cast, cast_all
from pytest_potmodels.loading.mapped.index import TensorAt
from pytest_potmodels.loading.mapped.inventory import Item, UnmappableError, hang, inventory
from pytest_potmodels.loading.mapped.region import Region


@dataclass(frozen=True, eq=False)
class Placed:
    """A tensor of a module, and how to make it over the file."""

    item: Item
    cast: Cast

    @property
    def place(self) -> TensorAt:
        """Where it lies in the file."""
        return self.cast.place


def placed(items: Iterable[Item], index: Iterable[TensorAt]) -> tuple[Placed, ...]:
    """Each tensor of a module with its place.

    Raises:
        UnmappableError: the file has other tensors.
    """
    known = {place.names: place for place in index}
    users = Counter(place.begin for place in known.values())
    found = ((item, _place_of(item, known)) for item in items)
    return tuple(
        Placed(item, Cast.of(place, item.tensor, alone=users[place.begin] == 1))
        for item, place in found
    )


def adopt(module: nn.Module, index: Iterable[TensorAt], region: Region) -> tuple[Placed, ...]:
    """Put tensors over the region where the module's own are; give each with its place.

    A skeleton on the meta device becomes a model; a model with memory of its own gives it back.

    Raises:
        UnmappableError: the module has other tensors than the file.
    """
    found = placed(inventory(module), index)
    made = cast_all((each.cast for each in found), region.buffer)
    return tuple(
        Placed(Item(each.item.names, _taken(each.item, tensor), each.item.holders), each.cast)
        for each, tensor in zip(found, made, strict=True)
    )


def _taken(item: Item, fresh: torch.Tensor) -> torch.Tensor:
    """Replace the content where the object can stay: others may hold it (an LSTM's flat list)."""
    if item.tensor.device == fresh.device:
        item.tensor.data = fresh.detach()
        return item.tensor
    for holder in item.holders:
        hang(holder, fresh)
    return fresh


def _place_of(item: Item, known: Mapping[tuple[str, ...], TensorAt]) -> TensorAt:
    place, tensor = known.get(item.names), item.tensor
    if place is None:
        raise UnmappableError(f"the file has no {' = '.join(item.names)}")
    # A skeleton's number types may differ: it is made in float32, and a file may hold bfloat16.
    alike = tensor.is_meta or place.torch_dtype == tensor.dtype
    if place.shape != tuple(tensor.shape) or not alike:
        raise UnmappableError(f"{item.names[0]} has another shape or type in the file")
    return place
