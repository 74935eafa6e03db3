"""Functions for those who need no setup of their own: they share one per process."""

import os
from functools import lru_cache
from pathlib import Path

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.catalog.entries import PRESET_KINDS
from pytest_potmodels.errors import Reason, UnavailableError, UnknownNameError
from pytest_potmodels.model_setup.configuration import ModelConfig, ModelPreset
from pytest_potmodels.model_setup.minimal_setup import MinimalModelSetup
from pytest_potmodels.settings import ENDPOINT_VARIABLE, OFFLINE_VARIABLES

#: Variables of others that decide where models are and whether they may be fetched.
_VARIABLES = (*OFFLINE_VARIABLES, ENDPOINT_VARIABLE, "HOME", "USERPROFILE")


def default_setup() -> MinimalModelSetup:
    """The setup behind the functions here, for its reports and its `clear_cache`."""
    # A notebook or a test sets POT_CACHE_DIR after the first call, and means it.
    return _setup_in(Path.cwd(), _environment())


def get_minimal_vision_model() -> LoadedModel:
    """The vision model of the minimal preset (MobileNetV2), or its mock with a warning."""
    return get_model_with_fallback("vision", "minimal")


def get_minimal_language_model() -> LoadedModel:
    """The language model of the minimal preset (DistilBERT), or its mock with a warning."""
    return get_model_with_fallback("language", "minimal")


def get_test_models() -> dict[str, LoadedModel]:
    """The models of the TEST preset, under "vision" and "language"."""
    return _both(ModelPreset.TEST)


def get_paper_models() -> dict[str, LoadedModel]:
    """The models of the PAPER preset, under "vision" and "language", or mocks with a warning."""
    return _both(ModelPreset.PAPER)


def get_model_with_fallback(model_type: str, preset: str = "minimal") -> LoadedModel:
    """A preset's model, or its mock with a warning where it cannot be had.

    Raises:
        DigestMismatchError: "Checksum mismatch"; wrong bytes are never answered with a mock.
        UnknownNameError: no such model type or preset.
    """
    return default_setup().get_model(_config(model_type, preset))


def download_real_model(model_type: str, preset: str = "minimal") -> LoadedModel:
    """A preset's real model, from the cache or the network; never a mock.

    Raises:
        UnavailableError: it cannot be had, or the preset has only a mock.
        DigestMismatchError: "Checksum mismatch".
        UnknownNameError: no such model type or preset.
    """
    config = _config(model_type, preset)
    config.fallback_to_mock = False
    model = default_setup().get_model(config)
    if model.is_mock:
        raise UnavailableError(
            f"the {model_type} model of the preset {preset!r} is a mock, not a real model.",
            reason=Reason.MOCK_ONLY,
            remedy="ask for another preset (minimal, paper), or for get_mock_model()",
        )
    return model


def get_mock_model(model_type: str) -> LoadedModel:
    """The mock of a model type, a fresh one at each call; the same bits every time.

    Raises:
        UnknownNameError: neither vision nor language.
    """
    config = _config(model_type, ModelPreset.TEST)
    pipeline = default_setup().pipeline
    name = f"mock:{config.checked_type()}"
    return pipeline.obtain(pipeline.catalog.request(name, seed=config.seed))


def preset_of_architecture(architecture: str) -> ModelPreset:
    """The preset that an experiment's `model_architecture` means: "resnet18" -> PAPER.

    Raises:
        UnknownNameError: a word that means none, with close matches.
    """
    known = default_setup().pipeline.catalog.architectures
    if architecture not in known:
        remedy = f"one of: {', '.join(known)}"
        raise UnknownNameError("model architecture", architecture, known, remedy=remedy)
    return ModelPreset(known[architecture])


def _config(model_type: str, preset: str) -> ModelConfig:
    return ModelConfig(f"{preset}_{model_type}_model", model_type, preset)


def _both(preset: ModelPreset) -> dict[str, LoadedModel]:
    return {kind: get_model_with_fallback(kind, preset) for kind in PRESET_KINDS}


def _environment() -> tuple[tuple[str, str], ...]:
    ours = (name for name in os.environ if name.startswith("POT_") or name in _VARIABLES)
    return tuple((name, os.environ[name]) for name in sorted(ours))


@lru_cache(maxsize=1)
def _setup_in(_folder: Path, _variables: tuple[tuple[str, str], ...]) -> MinimalModelSetup:
    """One setup as long as what decides its settings stays the same."""
    return MinimalModelSetup()
