"""Tensors over a region: the hot path of handing out a model."""

import mmap
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from pytest_potmodels.loading.mapped.index import TensorAt


@dataclass(frozen=True, eq=False, slots=True)  # Slots lie together in memory.
class Cast:
    """One tensor of the file, in the form in which the master holds it."""

    place: TensorAt
    dtype: torch.dtype
    begin: int
    count: int
    is_plain: bool
    #: The shape, where torch.frombuffer's own, (count,), is not it.
    shape: tuple[int, ...] | None
    is_parameter: bool
    requires_grad: bool
    #: What others wrote onto the tensor (transformers' `_is_hf_initialized`).
    notes: dict[str, Any]

    @classmethod
    def of(cls, place: TensorAt, tensor: torch.Tensor, *, alone: bool = True) -> "Cast":
        """The form of the master's tensor at its place in the file.

        With `alone`, no other tensor has its numbers in the same storage.
        """
        return cls(
            place,
            place.torch_dtype,
            place.begin,
            place.numel,
            place.is_plain and alone,
            None if len(place.shape) == 1 else place.shape,
            isinstance(tensor, nn.Parameter),
            tensor.requires_grad,
            dict(vars(tensor)),
        )


def cast_all(casts: Iterable[Cast], buffer: mmap.mmap) -> list[Any]:
    """New tensors over a mapping.

    Each has its storage for itself unless the master's share one: over a single storage for
    the whole file torch.save would save all of it with every tensor.
    """
    storages: dict[tuple[int, int], torch.UntypedStorage] = {}
    frombuffer, parameter = torch.frombuffer, nn.Parameter
    made = []
    # One loop without calls of our own: hundreds of tensors for each test that uses a model.
    for cast in casts:
        if cast.is_plain:
            tensor = frombuffer(buffer, dtype=cast.dtype, count=cast.count, offset=cast.begin)
            if cast.shape is not None:
                # Not view(): the tensor would remember its flat base, and a stock one has none.
                # Numbers are read in half the time of a tuple; resize_ takes none for a scalar.
                tensor.resize_(*cast.shape) if cast.shape else tensor.squeeze_()
        else:
            tensor = _strided(cast, buffer, storages)
        if cast.is_parameter:
            # nn.Parameter(tensor) would make a second tensor; torch's own lazy modules do this.
            tensor.__class__ = parameter
        if cast.requires_grad:
            tensor.requires_grad = True
        if cast.notes:
            tensor.__dict__.update(cast.notes)
        made.append(tensor)
    return made


def _strided(
    cast: Cast, buffer: mmap.mmap, storages: dict[tuple[int, int], torch.UntypedStorage]
) -> torch.Tensor:
    place = cast.place
    if not cast.count:
        return torch.empty_strided(place.shape, place.stride, dtype=cast.dtype, device="cpu")
    where = (place.begin, place.length)
    if where not in storages:
        raw = torch.frombuffer(buffer, dtype=torch.uint8, count=place.length, offset=place.begin)
        storages[where] = raw.untyped_storage()
    empty = torch.empty(0, dtype=cast.dtype, device="cpu")
    return empty.set_(storages[where], place.offset, place.shape, place.stride)
