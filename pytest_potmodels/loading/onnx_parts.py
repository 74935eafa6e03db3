"""What comes with a model's ONNX form: tokenizer, transforms, class names, configuration.

All of it is made when somebody first looks, because it may take torch, and a session takes none.
"""

import json
from functools import cache
from types import SimpleNamespace
from typing import Any

from pytest_potmodels.artifacts import Later, LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading import loader_of, opened
from pytest_potmodels.loading.options import auto_class_of

_CONFIG = "config.json"


def parts(stored: StoredModel, options: LoadOptions, classes: int) -> dict[str, Any]:
    """The fields of a LoadedModel that its ONNX file does not decide.

    Args:
        stored: the model that the file is of.
        options: how it was loaded to be exported.
        classes: the last axis of its first output.
    """
    if stored.kind == "lut":
        return {"config": Later(lambda: _lut_config(stored, options))}

    @cache  # Once for all parts of one model that is handed out.
    def dressed() -> LoadedModel:
        return _dressed(stored, options, classes)

    named: dict[str, Any] = {
        "tokenizer": Later(lambda: dressed().tokenizer),
        "processor": Later(lambda: dressed().processor),
        "transforms": Later(lambda: dressed().transforms),
    }
    if stored.format == "transformers":
        config = _config(stored)
        return {**named, "config": config, "categories": _categories(config, options)}
    later = {**named, "categories": Later(lambda: dressed().categories)}
    if stored.format == "mock":
        return {**later, "config": Later(lambda: dressed().config)}
    if stored.format == "torchvision":
        return {**later, "config": _network(stored, classes)}
    config = _config(stored)
    return {**(named if config else {}), "config": config, "categories": ()}


def _lut_config(stored: StoredModel, options: LoadOptions) -> Any:
    return opened("pytest_potmodels.loading.lut").open_lut(stored, options).blank.config


def _dressed(stored: StoredModel, options: LoadOptions, classes: int) -> LoadedModel:
    # A folder that came as ONNX with a config.json is one of transformers'.
    loader = loader_of("transformers" if stored.format == "onnx" else stored.format)
    if stored.format == "mock":
        built = loader.build(stored, options)
        return loader.dress(stored, options, built.model, built.facts)
    if stored.format == "torchvision":
        return loader.dress(stored, options, None, {"num_classes": classes})
    # The loader asks a model for its configuration alone.
    model = SimpleNamespace(config=_TransformersConfig(stored))
    return loader.dress(stored, options, model, {"newly_initialised": ()})


class _TransformersConfig:
    """As much of a configuration as the loader of transformers reads."""

    def __init__(self, stored: StoredModel) -> None:
        self._said = _config(stored)

    @property
    def id2label(self) -> dict[int, str]:
        """The names of the classes; two without a name where nothing is said."""
        said = self._said.get("id2label") or {0: "LABEL_0", 1: "LABEL_1"}
        return {int(index): str(name) for index, name in said.items()}

    def to_dict(self) -> dict[str, Any]:
        """All that the file says."""
        return dict(self._said)


def _config(stored: StoredModel) -> dict[str, Any]:
    """The model's config.json as it is; {} where it has none."""
    if _CONFIG not in {file.path for file in stored.files}:
        return {}
    said: dict[str, Any] = json.loads((stored.path / _CONFIG).read_text(encoding="utf-8"))
    return said


def _network(stored: StoredModel, classes: int) -> dict[str, Any]:
    """What torchvision's loader says of a network; the ledger asks for it, so without torch."""
    return {
        "architecture": stored.architecture,
        "weights": stored.revision,
        "num_classes": classes,
        "license": stored.license,
    }


def _categories(config: dict[str, Any], options: LoadOptions) -> tuple[str, ...]:
    if not auto_class_of(options).endswith("Classification"):
        return ()
    named = {int(index): str(name) for index, name in (config.get("id2label") or {}).items()}
    return tuple(named[index] for index in sorted(named)) or ("LABEL_0", "LABEL_1")
