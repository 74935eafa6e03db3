"""Runtime values over those of a configuration: all of them, or none."""

import copy
from collections.abc import Mapping
from typing import Any

from pytest_potmodels.errors import LUTError, LUTNameError
from pytest_potmodels.lut.configuration.model_config import ModelConfig
from pytest_potmodels.lut.configuration.runtime import RUNTIME, check_runtime
from pytest_potmodels.lut.configuration.structural import STRUCTURAL


def overridden(config: ModelConfig, overrides: Mapping[str, Any] | None) -> ModelConfig:
    """Another configuration with runtime values changed; mappings are merged, key by key.

    Raises:
        LUTError: a structural key, or a value that a key cannot have; `config` stays as it is.
        LUTNameError: an unknown key; with close matches.
    """
    return config.copy(runtime=merged_runtime(config, overrides))


def merged_runtime(config: ModelConfig, overrides: Mapping[str, Any] | None) -> dict[str, Any]:
    """The runtime values of `overridden`, and its errors."""
    if overrides is not None and not isinstance(overrides, Mapping):
        raise LUTError(f"overrides must be a mapping of runtime keys, got {overrides!r}.")
    changes = dict(overrides or {})
    _refuse_others(config, changes)
    merged = _merged(config.runtime, changes)
    check_runtime(merged)
    return merged


def _refuse_others(config: ModelConfig, changes: Mapping[str, Any]) -> None:
    keys = ", ".join(RUNTIME)
    for key in changes:
        if key in STRUCTURAL:
            owner = "the network"
            if config.pretrained and config.pretrained_name:
                owner = f"the weights of {config.pretrained_name!r}"
            raise LUTError(
                f"{key} is structural: fixed by {owner} ({getattr(config, key)!r}). "
                f"Runtime keys: {keys}.",
                remedy=f"to change {key}, build a new ModelConfig and train it",
            )
        if key not in RUNTIME:
            known = (*RUNTIME, *STRUCTURAL)
            raise LUTNameError("key", str(key), known, remedy=f"runtime keys: {keys}")


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(old))
    for key, value in new.items():
        before = merged.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[key] = _merged(before or {}, value) if both else copy.deepcopy(value)
    return merged
