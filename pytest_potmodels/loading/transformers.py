"""Load a transformers model, its tokenizer and its processor from a stored folder alone."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from pytest_potmodels.artifacts import Later, LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading.built import Built
from pytest_potmodels.loading.options import auto_class_of
from pytest_potmodels.loading.placement import number_type, seeded
from pytest_potmodels.loading.torchvision_guard import import_transformers
from pytest_potmodels.loading.transformers_errors import complete, explained
from pytest_potmodels.loading.transformers_quiet import quiet
from pytest_potmodels.loading.transformers_skeleton import (
    build_skeleton,
    unloaded_tensors,
    used_conversions,
)
from pytest_potmodels.loading.weights_file import not_loadable

_CONFIG = "config.json"
_PROCESSOR_FILES = frozenset({"processor_config.json", "preprocessor_config.json"})
_TOKENIZER_FILES = frozenset(
    {
        "tokenizer.json",
        "tokenizer_config.json",
        "vocab.txt",
        "vocab.json",
        "merges.txt",
        "tokenizer.model",
        "spiece.model",
        "sentencepiece.bpe.model",
    }
)
#: Files from the folder only, and no code from it.
_CLOSED = {"local_files_only": True, "trust_remote_code": False}


def build(stored: StoredModel, options: LoadOptions) -> Built:
    """Load with `AutoModel`, or with the class that `task` or `auto_class` names; float32.

    Weights that the files lack (a head for a new task) are drawn from the options' seed;
    a warning is logged.

    Raises:
        MissingPackageError: transformers, or a package that this model needs, is not there.
        UnavailableError: damaged files, or a model that needs code from outside.
        UsageError: a head that this architecture does not have.
    """
    auto_class = auto_class_of(options)
    if _CONFIG not in _names(stored):
        raise not_loadable(stored, f"{stored.path} has no {_CONFIG}")
    transformers = import_transformers()
    with quiet(transformers), explained(stored, auto_class):
        model, fresh = _model(transformers, stored, options, auto_class)
    facts = {
        "newly_initialised": list(fresh),
        "unloaded": unloaded_tensors(model),
        "conversions": used_conversions(model),
        "warnings": _warnings(stored, options, fresh),
    }
    return Built(model.eval(), facts)


def skeleton(stored: StoredModel, options: LoadOptions, facts: Mapping[str, Any]) -> nn.Module:
    """The same network without numbers, from its configuration alone."""
    transformers = import_transformers()
    with quiet(transformers):
        return build_skeleton(
            transformers,
            stored.path,
            auto_class_of(options),
            number_type(options),
            unloaded=facts["unloaded"],
            conversions=facts["conversions"],
        )


def dress(
    stored: StoredModel, options: LoadOptions, model: Any, facts: Mapping[str, Any]
) -> LoadedModel:
    """The network with its tokenizer and processor; `config["newly_initialised"]` as drawn."""
    auto_class = auto_class_of(options)
    transformers = import_transformers()
    fresh = tuple(facts["newly_initialised"])
    config = model.config

    def part(name: str, files: frozenset[str]) -> Any:
        with quiet(transformers), explained(stored, auto_class):
            return _part(getattr(transformers, name), stored, files)

    return LoadedModel(
        id=stored.id,
        model=model,
        source="pretrained" if stored.fresh else "cached",
        kind=stored.kind,
        tokenizer=Later(lambda: part("AutoTokenizer", _TOKENIZER_FILES)),
        processor=Later(lambda: part("AutoProcessor", _PROCESSOR_FILES)),
        categories=_categories(config, auto_class),
        config={**config.to_dict(), "newly_initialised": fresh},
        path=stored.path,
        digest=stored.digest,
        revision=stored.revision,
    )


def versions() -> dict[str, str]:
    """What decides how a model is built."""
    return {"torch": torch.__version__, "transformers": import_transformers().__version__}


def _model(
    transformers: Any, stored: StoredModel, options: LoadOptions, auto_class: str
) -> tuple[Any, tuple[str, ...]]:
    """The model, and the names of the weights that its files do not have."""
    with seeded(options):
        model, found = getattr(transformers, auto_class).from_pretrained(
            stored.path,
            dtype=number_type(options),
            weights_only=True,
            # A wrong shape is reported below with its name; transformers only logs that.
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            **_CLOSED,
        )
    return model, complete(stored, model, found)


def _part(auto_class: Any, stored: StoredModel, its_files: frozenset[str]) -> Any:
    """A tokenizer or processor, where the folder has files of one."""
    if its_files.isdisjoint(_names(stored)):
        return None
    return auto_class.from_pretrained(stored.path, **_CLOSED)


def _names(stored: StoredModel) -> set[str]:
    return {file.path for file in stored.files}


def _categories(config: Any, auto_class: str) -> tuple[str, ...]:
    """A classifier's class names, in the order of its logits."""
    if not auto_class.endswith("Classification"):
        return ()
    return tuple(str(config.id2label[index]) for index in sorted(config.id2label))


def _warnings(stored: StoredModel, options: LoadOptions, fresh: tuple[str, ...]) -> list[str]:
    if not fresh:
        return []
    drawn = f"drawn at random from seed {options.seed}, not trained"
    return [f"{stored.id}: its files have no {', '.join(fresh)}; {drawn}"]
