"""A transformers model without numbers, finished as `from_pretrained` finishes one.

What that does after construction has no public name. Each skeleton is compared with the model
that `from_pretrained` built before it is ever used, attribute by attribute; where a version of
transformers finishes its models in another way, its own loader goes on to build them.
"""

from collections.abc import Collection, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import nn

_CONFIG = "config.json"
_MAPPING = "transformers.conversion_mapping"
_LOADED = "_is_hf_initialized"


def build_skeleton(
    transformers: Any,
    folder: Path,
    auto_class: str,
    dtype: torch.dtype,
    *,
    unloaded: Collection[str],
    conversions: Collection[int],
) -> nn.Module:
    """The network that a folder's configuration describes; made where tensors have no numbers.

    Args:
        transformers: the library.
        folder: where the configuration lies.
        auto_class: the class that picks the architecture.
        dtype: of its numbers.
        unloaded: what `unloaded_tensors` said of the stock loader's model.
        conversions: what `used_conversions` said of it.
    """
    config = transformers.AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    model: Any = getattr(transformers, auto_class).from_config(config, dtype=dtype)
    model._weight_conversions = _converted(model, conversions)  # noqa: SLF001
    _mark_as_loaded(model.eval(), unloaded)
    model._use_kernels = False  # noqa: SLF001
    if model.can_generate() and hasattr(model, "adjust_generation_fn"):
        model.generation_config = _generation_config(transformers, folder)
    module: nn.Module = model
    return module


def unloaded_tensors(model: Any) -> list[str]:
    """Names of the tensors that did not come from files, as transformers noted it on them."""
    return [name for name, tensor in _tensors(model) if _LOADED not in vars(tensor)]


def used_conversions(model: Any) -> list[int]:
    """Which of the renamings that transformers knows for a model its files have needed."""
    used = {repr(each) for each in getattr(model, "_weight_conversions", None) or ()}
    if not used:
        return []
    known = import_module(_MAPPING).get_model_conversion_mapping(model)
    return [number for number, each in enumerate(known) if repr(each) in used]


def _converted(model: Any, conversions: Collection[int]) -> list[Any]:
    if not conversions:
        return []
    known = import_module(_MAPPING).get_model_conversion_mapping(model)
    used = [known[number] for number in conversions]
    for each in used:
        each._was_used = True  # noqa: SLF001
    return used


def _mark_as_loaded(model: Any, unloaded: Collection[str]) -> None:
    """Set what transformers notes on modules and tensors while it loads weights."""
    for module in model.modules():
        module._is_hf_initialized = True  # noqa: SLF001
    for name, tensor in _tensors(model):
        vars(tensor).clear()
        if name not in unloaded:
            setattr(tensor, _LOADED, True)
        if isinstance(tensor, nn.Parameter):  # Whatever the constructor said, it is a new one.
            tensor.requires_grad_(tensor.is_floating_point())


def _tensors(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    yield from model.named_parameters()
    yield from model.named_buffers()


def _generation_config(transformers: Any, folder: Path) -> Any:
    own = (folder / "generation_config.json").is_file()
    # Old repositories keep these settings in the model's own configuration.
    where = {} if own else {"config_file_name": _CONFIG, "_from_model_config": True}
    return transformers.GenerationConfig.from_pretrained(
        folder, _from_auto=True, _from_pipeline=None, local_files_only=True, **where
    )
