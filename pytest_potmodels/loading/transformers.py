"""Load a transformers model, its tokenizer and its processor from a stored folder alone."""

import logging
from typing import Any

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.loading.options import auto_class_of
from pytest_potmodels.loading.placement import check_device, number_type, place, seeded
from pytest_potmodels.loading.torchvision_guard import import_transformers
from pytest_potmodels.loading.transformers_errors import complete, explained
from pytest_potmodels.loading.transformers_quiet import quiet
from pytest_potmodels.loading.weights_file import not_loadable

_LOGGER = logging.getLogger(__name__)

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


def load(stored: StoredModel, options: LoadOptions, *, device: str) -> LoadedModel:
    """Load with `AutoModel`, or with the class that `task` or `auto_class` names; float32.

    Weights that the files lack (a head for a new task) are drawn from the options' seed;
    `config["newly_initialised"]` lists them, and a warning is logged.

    Raises:
        MissingPackageError: transformers, or a package that this model needs, is not there.
        UnavailableError: damaged files, or a model that needs code from outside.
        UsageError: a head that this architecture does not have; a device that is not there.
    """
    auto_class = auto_class_of(options)
    check_device(device)
    if _CONFIG not in _names(stored):
        raise not_loadable(stored, f"{stored.path} has no {_CONFIG}")
    transformers = import_transformers()
    with quiet(transformers), explained(stored, auto_class):
        model, fresh = _model(transformers, stored, options, auto_class)
        tokenizer = _part(transformers.AutoTokenizer, stored, _TOKENIZER_FILES)
        processor = _part(transformers.AutoProcessor, stored, _PROCESSOR_FILES)
    _announce(stored, options, fresh)
    return LoadedModel(
        id=stored.id,
        model=place(model, device=device),
        source="pretrained" if stored.fresh else "cached",
        kind=stored.kind,
        tokenizer=tokenizer,
        processor=processor,
        categories=_categories(model.config, auto_class),
        config={**model.config.to_dict(), "newly_initialised": fresh},
        path=stored.path,
        digest=stored.digest,
        revision=stored.revision,
    )


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


def _announce(stored: StoredModel, options: LoadOptions, fresh: tuple[str, ...]) -> None:
    if fresh:
        _LOGGER.warning(
            "%s: its files have no %s; drawn at random from seed %d, not trained",
            stored.id,
            ", ".join(fresh),
            options.seed,
        )
