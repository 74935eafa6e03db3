"""The snippets that describe this face, each run as it stands, on real files from a real server."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from standin import StandIn

from pytest_potmodels.model_setup import (
    MinimalModelSetup,
    ModelConfig,
    ModelPreset,
    download_real_model,
    get_mock_model,
    get_model_with_fallback,
    preset_of_architecture,
)

Run = Callable[..., dict[str, Any]]

IMPORTS = """
from pytest_potmodels.model_setup import (
    get_minimal_language_model, get_minimal_vision_model, get_paper_models, get_test_models,
)
"""


def origin(model: Any) -> tuple[str, str]:
    return model.id.name, model.source


def test_quick_start(run: Run) -> None:
    made = run("""
from pytest_potmodels.model_setup import MinimalModelSetup, ModelConfig, ModelPreset

setup = MinimalModelSetup()

vision_config = ModelConfig("vision_model", "vision", ModelPreset.MINIMAL)
vision_model = setup.get_vision_model(vision_config)

language_config = ModelConfig("language_model", "language", ModelPreset.MINIMAL)
language_model = setup.get_language_model(language_config)

from pytest_potmodels.model_setup import get_minimal_vision_model, get_test_models

vision = get_minimal_vision_model()
test_models = get_test_models()
""")
    assert origin(made["vision_model"]) == ("mobilenet_v2", "pretrained")
    assert origin(made["language_model"]) == ("distilbert-base-uncased", "pretrained")
    assert origin(made["vision"]) == ("mobilenet_v2", "cached")
    assert origin(made["test_models"]["vision"]) == ("vision", "mock")


def test_presets_test(run: Run, upstream: StandIn) -> None:
    test_models = run(IMPORTS + "test_models = get_test_models()")["test_models"]
    assert set(test_models) == {"vision", "language"}
    assert sum(model.memory_mb for model in test_models.values()) < 10
    assert test_models["vision"].model(torch.zeros(1, 3, 32, 32)).shape == (1, 10)
    assert len(upstream.log) == 0


def test_presets_minimal(run: Run) -> None:
    made = run(
        IMPORTS
        + """
vision = get_minimal_vision_model()
language = get_minimal_language_model()
"""
    )
    assert origin(made["vision"]) == ("mobilenet_v2", "pretrained")
    assert origin(made["language"]) == ("distilbert-base-uncased", "pretrained")


def test_presets_paper(run: Run) -> None:
    paper_models = run(IMPORTS + "paper_models = get_paper_models()")["paper_models"]
    assert origin(paper_models["vision"]) == ("resnet18", "pretrained")
    assert origin(paper_models["language"]) == ("bert-base-uncased", "pretrained")


def test_caching_system(run: Run, config: ModelConfig) -> None:
    made = run(
        """
setup = MinimalModelSetup()

model1 = setup.get_vision_model(config)

model2 = setup.get_vision_model(config)

memory_report = setup.get_memory_report()
setup.clear_cache()
""",
        MinimalModelSetup=MinimalModelSetup,
        config=config,
    )
    assert origin(made["model1"]) == ("mobilenet_v2", "pretrained")
    assert origin(made["model2"]) == ("mobilenet_v2", "cached")
    assert made["model1"].model is made["model2"].model
    assert round(made["memory_report"]["total_memory_mb"], 1) == 13.5
    assert made["setup"].get_memory_report()["total_memory_mb"] == 0


FALLBACK = """
def get_model_with_fallback(model_type: str, preset: str = "minimal"):
    try:
        return download_real_model(model_type, preset)
    except Exception as e:
        logger.warning(f"Using mock for {model_type}: {e}")
        return get_mock_model(model_type)

model = get_model_with_fallback("vision")
"""


@pytest.mark.parametrize("network", ["allow", "block"])
def test_fallback_mechanism(
    run: Run, network: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("POT_NETWORK", network)
    own = run(
        FALLBACK,
        download_real_model=download_real_model,
        get_mock_model=get_mock_model,
        logger=logging.getLogger("snippet"),
    )["model"]
    ours = get_model_with_fallback("vision")
    assert own.is_mock == ours.is_mock == (network == "block")
    assert own.checksum == ours.checksum
    warnings = [record.message for record in caplog.records if "Using mock for" in record.message]
    assert len(warnings) == (2 if network == "block" else 0)


@pytest.mark.parametrize(
    ("architectures", "preset"),
    [
        (("mock", "test"), ModelPreset.TEST),
        (("minimal", "mobilenet", "distilbert"), ModelPreset.MINIMAL),
        (("paper", "resnet18", "bert"), ModelPreset.PAPER),
    ],
)
def test_architecture_mapping(
    architectures: tuple[str, ...], preset: ModelPreset, project: Path
) -> None:
    assert {preset_of_architecture(name) for name in architectures} == {preset}
