"""The snippets that describe this face, each run as it stands but for the import line."""

from typing import Any

import pytest
from experiments.conftest import NETWORK, Project

from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.experiments import ExperimentConfig, ReproducibleExperimentRunner
from pytest_potmodels.model_setup import verify_checksum

INTEGRATION = """
from pytest_potmodels.experiments import ReproducibleExperimentRunner, ExperimentConfig

config = ExperimentConfig(
    experiment_name="vision_experiment",
    model_type="vision",
    model_architecture="minimal",  # Uses MobileNetV2
    # ... other config
)

runner = ReproducibleExperimentRunner(config)
runner.setup_models()  # Automatically uses MinimalModelSetup
"""
REPRODUCIBILITY = """
# Seed management
torch.manual_seed(config.seed)
model = load_model()  # Deterministic initialization

# Checksum verification
assert verify_checksum(model, expected_hash)

# Model registry
setup.save_model_registry("models.json")  # Audit trail
"""
#: The network of these tests, under the name that the preset has.
PRESET = f"""
[tool.potmodels.presets.minimal]
vision = "{NETWORK}"
"""


def executed(code: str, **given: Any) -> dict[str, Any]:
    names = dict(given)
    exec(compile(code, "snippet", "exec"), names)  # noqa: S102 - the texts of the tests
    return names


def test_integration_with_experiments(project: Project) -> None:
    with (project.folder / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(PRESET)
    runner = executed(INTEGRATION)["runner"]
    model = runner.models["vision"]
    assert (model.id.name, model.source) == (NETWORK, "pretrained")
    assert runner.setup.get_memory_report()["models"][0]["preset"] == "minimal"
    assert runner.run(lambda context: {"same": context.model.checksum == model.checksum}).metrics[
        "same"
    ]


def test_reproducibility_features(project: Project) -> None:
    import torch  # noqa: PLC0415

    config = ExperimentConfig("vision_experiment", model_architecture=NETWORK)
    runner = ReproducibleExperimentRunner(config)

    def load_model() -> Any:
        return runner.setup_models()["vision"]

    expected = load_model().checksum
    given = {
        "torch": torch, "config": config, "load_model": load_model, "setup": runner.setup,
        "verify_checksum": verify_checksum,
    }  # fmt: skip
    executed(REPRODUCIBILITY, **given, expected_hash=expected)
    assert (project.folder / "models.json").is_file()
    with pytest.raises(DigestMismatchError, match="Checksum mismatch"):
        executed(REPRODUCIBILITY, **given, expected_hash="abc123...")


@pytest.mark.parametrize(
    ("word", "preset"),
    [
        ("mock", "test"), ("test", "test"),
        ("minimal", "minimal"), ("mobilenet", "minimal"),
        ("paper", "paper"), ("resnet18", "paper"),
    ],
)  # fmt: skip
def test_architecture_mapping(word: str, preset: str, clean: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("POT_MOCK", "always")  # The mapping, without the downloads.
    runner = ReproducibleExperimentRunner(ExperimentConfig("mapped", model_architecture=word))
    runner.setup_models()
    assert runner.setup.get_memory_report()["models"][0]["preset"] == preset


@pytest.mark.parametrize(("word", "preset"), [("distilbert", "minimal"), ("bert", "paper")])
def test_architecture_mapping_of_language(
    word: str, preset: str, clean: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("POT_MOCK", "always")
    config = ExperimentConfig("mapped", model_type="language", model_architecture=word)
    runner = ReproducibleExperimentRunner(config)
    assert runner.setup_models()["language"].is_mock
    assert runner.setup.get_memory_report()["models"][0]["preset"] == preset
