"""MinimalModelSetup: the models of three presets, with an announced mock where one is missing.

A face over the pipeline and the fallback policy. Its own is only what it keeps in memory: the
models that a setup has loaded, so that the same configuration gives the same object again.
"""

from pytest_potmodels.model_setup.checksums import verify_checksum
from pytest_potmodels.model_setup.configuration import ModelConfig, ModelPreset
from pytest_potmodels.model_setup.getters import (
    default_setup,
    download_real_model,
    get_minimal_language_model,
    get_minimal_vision_model,
    get_mock_model,
    get_model_with_fallback,
    get_paper_models,
    get_test_models,
    preset_of_architecture,
)
from pytest_potmodels.model_setup.minimal_setup import MinimalModelSetup

__all__ = [
    "MinimalModelSetup",
    "ModelConfig",
    "ModelPreset",
    "default_setup",
    "download_real_model",
    "get_minimal_language_model",
    "get_minimal_vision_model",
    "get_mock_model",
    "get_model_with_fallback",
    "get_paper_models",
    "get_test_models",
    "preset_of_architecture",
    "verify_checksum",
]
