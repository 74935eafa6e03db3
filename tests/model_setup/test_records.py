import json
from pathlib import Path
from typing import Any

from standin import StandIn

from pytest_potmodels.model_setup import MinimalModelSetup, ModelConfig


def saved(setup: MinimalModelSetup, path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(setup.save_model_registry(path).read_text("utf-8"))
    return content


def test_the_registry_holds_loads_manifests_and_versions(upstream: StandIn, project: Path) -> None:
    setup = MinimalModelSetup()
    vision = setup.get_vision_model(ModelConfig("my net", "vision"))
    setup.get_vision_model(ModelConfig("my net", "vision"))
    content = saved(setup, project / "models.json")
    (row,) = content["loaded"]
    assert (row["name"], row["model"], row["seed"]) == ("my net", "torchvision:mobilenet_v2", 42)
    assert (row["source"], row["substitute"]) == ("pretrained", "")
    assert row["checksum"] == vision.checksum
    assert row["digest"] == content["stored"][0]["digest"] == vision.digest
    assert {"python", "torch", "torchvision", "pytest-potmodels"} <= set(content["versions"])


def test_the_registry_says_which_models_were_stand_ins(offline: None, project: Path) -> None:
    setup = MinimalModelSetup()
    setup.get_vision_model(ModelConfig("a", "vision"))
    (row,) = saved(setup, project / "models.json")["loaded"]
    assert (row["source"], row["substitute"]) == ("mock", "not-cached")
    assert "network=block" in row["why"]


def test_the_registry_remembers_models_that_were_let_go(project: Path) -> None:
    setup = MinimalModelSetup()
    setup.get_vision_model(ModelConfig("a", "vision", "test"))
    setup.clear_cache()
    setup.get_language_model(ModelConfig("b", "language", "test"))
    first, second = saved(setup, project / "models.json")["loaded"]
    assert (first["name"], first["checksum"]) == ("a", None)
    assert second["checksum"]


def test_the_memory_report_names_the_largest_first(project: Path) -> None:
    setup = MinimalModelSetup()
    assert setup.get_memory_report() == {
        "total_memory_mb": 0.0,
        "largest_model": None,
        "largest_memory_mb": 0.0,
        "model_count": 0,
        "models": [],
    }
    vision = setup.get_vision_model(ModelConfig("a", "vision", "test"))
    language = setup.get_language_model(ModelConfig("b", "language", "test"))
    report = setup.get_memory_report()
    assert report["total_memory_mb"] == vision.memory_mb + language.memory_mb
    assert report["largest_model"] == "mock:language"
    assert [row["name"] for row in report["models"]] == ["b", "a"]
