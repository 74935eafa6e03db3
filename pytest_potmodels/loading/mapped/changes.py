"""What a test did to its model, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from pytest_potmodels.loading.mapped.adoption import Placed
from pytest_potmodels.loading.mapped.index import TensorAt
from pytest_potmodels.loading.mapped.likeness import same_class
from pytest_potmodels.loading.mapped.region import Region
from pytest_potmodels.loading.mapped.written_pages import address_of

_SHOWN = 3
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


@dataclass(frozen=True, eq=False)
class Reference:
    """What a copy was like when it was handed out."""

    master: nn.Module
    placed: tuple[Placed, ...]
    path: Path
    #: The master's own, which nobody writes to.
    region: Region


def changes(module: nn.Module | None, region: Region, reference: Reference) -> str:
    """What differs from the original; "" for nothing.

    Weights count by their bytes. Other things can be told only while the test still holds the
    module: `module` is None afterwards.
    """
    said = [listed("wrote", _written(region, reference))]
    if module is not None:
        said += [listed("replaced", _replaced(module, region, reference))]
        said += manners(module, reference.master)
    return "; ".join(filter(None, said))


def _written(region: Region, reference: Reference) -> list[str]:
    """Names of the tensors of which a byte differs from the file's."""
    ranges = region.written()
    return [
        each.place.names[0]
        for each in reference.placed
        if any(_overlaps(each.place, begin, end) for begin, end in ranges)
        and _differs(each.place, region, reference.region)
    ]


def _overlaps(place: TensorAt, begin: int, end: int) -> bool:
    return place.begin < end and begin < place.begin + place.length


def _differs(place: TensorAt, region: Region, original: Region) -> bool:
    piece = slice(place.begin, place.begin + place.length)
    return region.buffer[piece] != original.buffer[piece]


def _replaced(module: nn.Module, region: Region, reference: Reference) -> list[str]:
    """Names whose tensor is no longer the one over the mapping: moved, converted, exchanged."""
    begin = address_of(region.buffer)
    now = dict(tensors(module))
    before = dict(tensors(reference.master))
    places = [each.place for each in reference.placed]
    at = {name: begin + place.begin for place in places for name in place.names}
    return [
        name
        for name in (*before, *(name for name in now if name not in before))
        if name not in now or name not in before or not _is_in_place(now[name], at[name])
    ]


def _is_in_place(tensor: torch.Tensor, address: int) -> bool:
    if not tensor.numel():
        return True
    return tensor.device.type == "cpu" and tensor.untyped_storage().data_ptr() == address


def manners(module: nn.Module, master: nn.Module) -> Iterator[str]:
    """Everything that is no number."""
    ours, theirs = dict(module.named_modules()), dict(master.named_modules())
    same = [name for name in theirs if name in ours]
    changed = [name for name in theirs if name not in ours]
    changed += [name for name in same if not same_class(ours[name], theirs[name])]
    yield listed("exchanged modules", [*changed, *(name for name in ours if name not in theirs)])
    if any(ours[name].training != theirs[name].training for name in same):
        yield "switched between training and evaluation"
    if any(_hooks(ours[name]) > _hooks(theirs[name]) for name in same):
        yield "added hooks"
    grad = {name: tensor.requires_grad for name, tensor in tensors(master)}
    parameters = dict(module.named_parameters())
    if any(name in grad and grad[name] != p.requires_grad for name, p in parameters.items()):
        yield "changed requires_grad"
    if any(parameter.grad is not None for parameter in parameters.values()):
        yield "left gradients"


def tensors(module: nn.Module) -> Iterator[tuple[str, torch.Tensor]]:
    """Parameters and buffers, under each of their names."""
    yield from module.named_parameters(remove_duplicate=False)
    yield from module.named_buffers(remove_duplicate=False)


def _hooks(module: nn.Module) -> int:
    return sum(len(vars(module).get(name) or ()) for name in _HOOKS)


def listed(verb: str, names: list[str]) -> str:
    """What was done to whom, the first few; "" for nobody."""
    if not names:
        return ""
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{verb} {', '.join(name or 'the model' for name in names[:_SHOWN])}{rest}"
