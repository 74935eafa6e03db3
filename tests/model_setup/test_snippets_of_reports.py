"""The snippets about configuration, reports and reproducibility, each run as it stands."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_potmodels.errors import DigestMismatchError
from pytest_potmodels.model_setup import (
    MinimalModelSetup,
    ModelConfig,
    ModelPreset,
    get_mock_model,
    verify_checksum,
)

Run = Callable[..., dict[str, Any]]

REPRODUCIBILITY = """
torch.manual_seed(config.seed)
model = load_model()

expected_hash = "abc123..."
assert verify_checksum(model, expected_hash)

setup.save_model_registry("models.json")
"""


def test_reproducibility_features(run: Run, config: ModelConfig, project: Path) -> None:
    setup = MinimalModelSetup()
    given = {
        "torch": torch,
        "config": config,
        "setup": setup,
        "verify_checksum": verify_checksum,
        "load_model": lambda: setup.get_vision_model(config),
    }
    with pytest.raises(DigestMismatchError, match=r"Checksum mismatch: .* expected abc123\.\.\."):
        run(REPRODUCIBILITY, **given)
    real_hash = setup.get_vision_model(config).checksum
    run(REPRODUCIBILITY.replace("abc123...", real_hash), **given)
    assert real_hash in project.joinpath("models.json").read_text(encoding="utf-8")


def test_memory_usage_monitoring(
    run: Run, config: ModelConfig, capsys: pytest.CaptureFixture[str]
) -> None:
    run(
        """
setup = MinimalModelSetup()

vision = setup.get_vision_model(config)
language = setup.get_language_model(config)

report = setup.get_memory_report()
print(f"Total: {report['total_memory_mb']:.1f}MB")
print(f"Largest: {report['largest_model']}")

setup.clear_cache()
""",
        MinimalModelSetup=MinimalModelSetup,
        config=config,
    )
    # The BERT of this test takes 0.1 MB.
    assert capsys.readouterr().out == "Total: 13.6MB\nLargest: torchvision:mobilenet_v2\n"


def test_custom_model_configuration(run: Run) -> None:
    made = run(
        """
config = ModelConfig(
    name="custom_vision",
    model_type="vision",
    preset=ModelPreset.MINIMAL,
    device="cuda",
    seed=42,
    verify_checksum=True,
    fallback_to_mock=True,
    memory_limit_mb=100
)

model_info = setup.get_vision_model(config)
""",
        ModelConfig=ModelConfig,
        ModelPreset=ModelPreset,
        setup=MinimalModelSetup(),
    )
    model_info = made["model_info"]
    assert (model_info.id.name, model_info.source) == ("mobilenet_v2", "pretrained")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    assert next(model_info.model.parameters()).device.type == device


INFORMATION = """
model_info = setup.get_{kind}_model(config)

print(f"Source: {{model_info.source}}")
print(f"Memory: {{model_info.memory_mb}}MB")
print(f"Config: {{model_info.config}}")
print(f"Checksum: {{model_info.checksum}}")

model = model_info.model
output = model(input_tensor)

if model_info.tokenizer:
    tokens = model_info.tokenizer.encode("Hello world")
"""


@pytest.mark.parametrize("preset", ["test", "minimal"])
def test_model_information_access(
    run: Run, config: ModelConfig, preset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    config.preset = preset
    given = {"setup": MinimalModelSetup(), "config": config}
    seen = run(INFORMATION.format(kind="vision"), input_tensor=torch.zeros(1, 3, 64, 64), **given)
    read = run(INFORMATION.format(kind="language"), input_tensor=torch.tensor([[2, 3]]), **given)
    assert seen["output"].shape == (1, 10 if preset == "test" else 1000)
    assert "tokens" not in seen
    assert read["output"].last_hidden_state.shape[:2] == (1, 2)
    assert read["tokens"][0] == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Source: {'mock' if preset == 'test' else 'pretrained'}"
    assert lines[3] == f"Checksum: {seen['model_info'].checksum}"


def test_availability_checking(run: Run, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    project.joinpath("pyproject.toml").unlink()  # The presets as they are shipped.
    run(
        """
available = setup.list_available_models()

for model_type, presets in available.items():
    for preset, spec in presets.items():
        if spec["available"]:
            print(f"✅ {model_type}/{preset}: {spec['description']}")
        else:
            print(f"❌ {model_type}/{preset}: Not available")
""",
        setup=MinimalModelSetup(),
    )
    assert capsys.readouterr().out.splitlines() == [
        "✅ vision/test: Simple conv layers for testing",
        "✅ vision/minimal: Efficient mobile vision",
        "✅ vision/paper: Standard research baseline",
        "✅ language/test: Basic LSTM with tokenizer",
        "✅ language/minimal: Compressed BERT variant",
        "✅ language/paper: Standard transformer baseline",
    ]


def test_always_use_fallbacks_in_automated_environments(
    run: Run, config: ModelConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_NETWORK", "block")
    config.fallback_to_mock = False
    run("config.fallback_to_mock = True", config=config)
    assert MinimalModelSetup().get_vision_model(config).is_mock


def test_memory_issues(run: Run, config: ModelConfig) -> None:
    config.preset = ModelPreset.PAPER
    setup = MinimalModelSetup()
    setup.get_vision_model(config)
    given = {"setup": setup, "config": config, "ModelPreset": ModelPreset}
    run("setup.clear_cache()\n\nconfig.preset = ModelPreset.MINIMAL", **given)
    assert setup.get_vision_model(config).memory_mb < 14
    assert setup.get_memory_report()["model_count"] == 1


def test_reproducibility_issues(run: Run, config: ModelConfig) -> None:
    config.preset, config.seed = ModelPreset.TEST, 7
    run("config.seed = 42\n\nconfig.verify_checksum = True", config=config)
    model = MinimalModelSetup().get_vision_model(config)
    assert model.checksum == get_mock_model("vision").checksum
