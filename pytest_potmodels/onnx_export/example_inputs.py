"""Tensors to feed a model: the same for the same seed in every process, with padded rows."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import torch

from pytest_potmodels.onnx_export.recipes import Input, Recipe
from pytest_potmodels.onnx_export.sizes import Sizes, stated

Tensors = dict[str, torch.Tensor]

#: Tokens with a meaning of their own.
_SPECIAL = (
    "pad_token_id", "bos_token_id", "eos_token_id", "cls_token_id", "sep_token_id",
    "mask_token_id", "decoder_start_token_id", "unk_token_id", "image_token_id",
    "image_token_index",
)  # fmt: skip
_VOCABULARY = 100


def make(recipe: Recipe, sizes: Sizes, config: Any, *, seed: int) -> Tensors:
    """One call's inputs. `sizes` are of all axes that have a name.

    Every second row and those after it are padded at their end, where there is a mask.
    """
    made = {}
    for each in recipe.inputs:
        shape = [axis if isinstance(axis, int) else sizes[axis] for axis in each.axes]
        generator = torch.Generator().manual_seed(_seed(each.name, seed))
        made[each.name] = _MAKERS[each.content](each, shape, generator, config)
    return _padded(made, recipe, config)


def _seed(name: str, seed: int) -> int:
    """Python's own hash differs from process to process."""
    return int.from_bytes(hashlib.sha256(f"{name} {seed}".encode()).digest()[:4], "big")


def _ids(_input: Input, shape: list[int], generator: torch.Generator, config: Any) -> torch.Tensor:
    """Plain tokens, the last one the end of the text where there is such a token."""
    size = stated(config, "vocab_size") or _VOCABULARY
    special = _special(config, size)
    plain = [token for token in range(min(size, 50_000)) if token not in special] or [0]
    picked = torch.randint(len(plain), shape, generator=generator)
    ids = torch.tensor(plain)[picked]
    end = stated(config, "eos_token_id")
    if isinstance(end, int) and 0 <= end < size:
        ids[..., -1] = end
    return ids


def _special(config: Any, size: int) -> set[int]:
    found = (stated(config, name) for name in _SPECIAL)
    return {each for each in found if isinstance(each, int) and 0 <= each < size}


def _mask(_input: Input, shape: list[int], _generator: torch.Generator, _c: Any) -> torch.Tensor:
    """1 for a token, 0 for padding."""
    mask = torch.ones(shape, dtype=torch.int64)
    for row in range(1, shape[0]):
        mask[row, shape[-1] - _padding(row, shape[-1]) :] = 0
    return mask


def _padding(row: int, length: int) -> int:
    return min(length - 1, max(length // 3, 1) + row - 1)


def _segments(_input: Input, shape: list[int], _generator: Any, config: Any) -> torch.Tensor:
    """Two parts of a text."""
    segments = torch.zeros(shape, dtype=torch.int64)
    if (stated(config, "type_vocab_size") or 0) > 1:
        segments[..., shape[-1] // 2 :] = 1
    return segments


def _noise(_input: Input, shape: list[int], generator: torch.Generator, _c: Any) -> torch.Tensor:
    return torch.randn(shape, generator=generator)


def _integers(each: Input, shape: list[int], generator: torch.Generator, _c: Any) -> torch.Tensor:
    high = max(int(each.high), int(each.low)) + 1
    made = torch.randint(int(each.low), high, shape, generator=generator)
    return made.to(getattr(torch, each.dtype or "int64"))


def _numbers(each: Input, shape: list[int], generator: torch.Generator, _c: Any) -> torch.Tensor:
    made = each.low + (each.high - each.low) * torch.rand(shape, generator=generator)
    return made.to(getattr(torch, each.dtype or "float32"))


_MAKERS: Mapping[str, Callable[[Input, list[int], torch.Generator, Any], torch.Tensor]] = {
    "ids": _ids,
    "mask": _mask,
    "segments": _segments,
    "pixels": _noise,
    "noise": _noise,
    "integers": _integers,
    "numbers": _numbers,
}


def _padded(made: Tensors, recipe: Recipe, config: Any) -> Tensors:
    """Padding tokens where a mask of the same axes says so: roberta counts positions by them."""
    pad = stated(config, "pad_token_id")
    size = stated(config, "vocab_size") or _VOCABULARY
    token = pad if isinstance(pad, int) and 0 <= pad < size else 0
    end = stated(config, "eos_token_id")
    for mask in (each for each in recipe.inputs if each.content == "mask"):
        for ids in (e for e in recipe.inputs if e.content == "ids" and e.axes == mask.axes):
            padded = made[mask.name] == 0
            last = made[mask.name].sum(-1, keepdim=True) - 1
            if isinstance(end, int) and 0 <= end < size:
                made[ids.name].scatter_(-1, last, end)
            made[ids.name][padded] = token
    return made
