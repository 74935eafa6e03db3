"""A transformers model without numbers, finished as `from_pretrained` finishes one.

What that does after construction has no public name. Each skeleton is compared with the model
that `from_pretrained` built before it is ever used, attribute by attribute; where a version of
transformers finishes its models in another way, its own loader goes on to build them.
"""

from pathlib import Path
from typing import Any

import torch
from torch import nn

_CONFIG = "config.json"


def build_skeleton(
    transformers: Any, folder: Path, auto_class: str, dtype: torch.dtype
) -> nn.Module:
    """The network that a folder's configuration describes; made where tensors have no numbers."""
    config = transformers.AutoConfig.from_pretrained(
        folder, local_files_only=True, trust_remote_code=False
    )
    model: Any = getattr(transformers, auto_class).from_config(config, dtype=dtype)
    _mark_as_loaded(model.eval())
    if model.can_generate() and hasattr(model, "adjust_generation_fn"):
        model.generation_config = _generation_config(transformers, folder)
    module: nn.Module = model
    return module


def _mark_as_loaded(model: Any) -> None:
    """Set what transformers notes on modules and tensors while it loads weights."""
    model._weight_conversions = []  # noqa: SLF001
    for module in model.modules():
        module._is_hf_initialized = True  # noqa: SLF001
    for parameter in model.parameters():
        parameter._is_hf_initialized = True  # noqa: SLF001
    for buffer in model.buffers():
        vars(buffer).clear()  # Stock buffers that are no part of the files are drawn anew.
    model._use_kernels = False  # noqa: SLF001


def _generation_config(transformers: Any, folder: Path) -> Any:
    own = (folder / "generation_config.json").is_file()
    # Old repositories keep these settings in the model's own configuration.
    where = {} if own else {"config_file_name": _CONFIG, "_from_model_config": True}
    return transformers.GenerationConfig.from_pretrained(
        folder, _from_auto=True, _from_pipeline=None, local_files_only=True, **where
    )
