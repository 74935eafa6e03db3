import threading
import time
from pathlib import Path

import pytest
import torch
from standin import StandIn

from pytest_potmodels.errors import DigestMismatchError, UnknownNameError, UsageError
from pytest_potmodels.model_setup import MinimalModelSetup, ModelConfig, ModelPreset
from pytest_potmodels.settings.resolution import resolve_here


def vision(preset: ModelPreset | str = ModelPreset.MINIMAL) -> ModelConfig:
    return ModelConfig("vision_model", "vision", preset)


def strict_vision() -> ModelConfig:
    return ModelConfig("vision_model", "vision", fallback_to_mock=False)


def test_minimal_and_paper_give_real_models(upstream: StandIn) -> None:
    setup = MinimalModelSetup()
    found = {
        (preset, kind): setup.get_model(ModelConfig("a", kind, preset))
        for preset in ("minimal", "paper")
        for kind in ("vision", "language")
    }
    assert {where: (model.id.name, model.source) for where, model in found.items()} == {
        ("minimal", "vision"): ("mobilenet_v2", "pretrained"),
        ("minimal", "language"): ("distilbert-base-uncased", "pretrained"),
        ("paper", "vision"): ("resnet18", "pretrained"),
        ("paper", "language"): ("bert-base-uncased", "pretrained"),
    }
    assert found["minimal", "vision"](torch.zeros(1, 3, 64, 64)).shape == (1, 1000)
    assert round(found["minimal", "vision"].memory_mb, 1) == 13.5
    assert round(found["paper", "vision"].memory_mb, 1) == 44.6


def test_the_second_load_of_a_configuration_takes_less_than_half_a_millisecond(
    upstream: StandIn,
) -> None:
    setup, config = MinimalModelSetup(), vision()
    first = setup.get_vision_model(config)
    seconds = []
    for _ in range(20):
        started = time.perf_counter()
        second = setup.get_vision_model(config)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.0005
    assert second.model is first.model
    assert (first.source, second.source) == ("pretrained", "cached")


def test_a_changed_configuration_is_another_one(project: Path) -> None:
    setup, config = MinimalModelSetup(), vision(ModelPreset.TEST)
    first = setup.get_vision_model(config)
    config.seed = 7
    second = setup.get_vision_model(config)
    assert second.model is not first.model
    assert second.checksum != first.checksum
    config.seed = 42
    assert setup.get_vision_model(config).model is first.model


def test_an_equal_configuration_is_the_same_one(project: Path) -> None:
    setup = MinimalModelSetup()
    first = setup.get_vision_model(vision("test"))
    assert setup.get_vision_model(vision(ModelPreset.TEST)).model is first.model


def test_threads_that_load_at_once_get_one_object(project: Path) -> None:
    setup, config, found = MinimalModelSetup(), vision("test"), []
    start = threading.Barrier(4)

    def load() -> None:
        start.wait()
        found.append(setup.get_vision_model(config).model)

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len({id(model) for model in found}) == 1
    assert setup.get_memory_report()["model_count"] == 1


def test_clearing_lets_go_of_memory_and_keeps_the_files(upstream: StandIn) -> None:
    setup, config = MinimalModelSetup(), vision()
    first = setup.get_vision_model(config)
    setup.clear_cache()
    requests = len(upstream.log)
    again = setup.get_vision_model(config)
    assert again.model is not first.model
    assert again.checksum == first.checksum
    assert again.source == "cached"
    assert len(upstream.log) == requests


def test_one_configuration_serves_both_kinds(project: Path) -> None:
    setup, config = MinimalModelSetup(), vision("test")
    assert setup.get_vision_model(config).kind == "vision"
    assert setup.get_language_model(config).kind == "language"
    assert setup.get_model(config).kind == "vision"


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device here")
def test_without_cuda_the_cpu_steps_in_with_a_warning_or_not_at_all(
    project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    config = vision("test")
    config.device = "cuda"
    model = MinimalModelSetup().get_vision_model(config)
    assert {tensor.device.type for tensor in model.model.parameters()} == {"cpu"}
    assert "Using cpu for vision_model" in caplog.text
    config.fallback_to_mock = False
    with pytest.raises(UsageError, match="'cuda' cannot be used"):
        MinimalModelSetup().get_vision_model(config)


def test_an_expected_checksum_is_compared_if_that_is_asked(upstream: StandIn) -> None:
    setup, config = MinimalModelSetup(), vision()
    config.expected_checksum = setup.get_vision_model(vision()).checksum
    assert setup.get_vision_model(config).source == "cached"
    config.expected_checksum = "0" * 64
    with pytest.raises(DigestMismatchError, match="Checksum mismatch"):
        setup.get_vision_model(config)
    config.verify_checksum = False
    assert setup.get_vision_model(config).source == "cached"


def test_an_expected_checksum_is_not_asked_of_an_announced_mock(offline: None) -> None:
    config = vision()
    config.expected_checksum = "0" * 64
    assert MinimalModelSetup().get_vision_model(config).is_mock


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (ModelConfig("a", "visoin"), "unknown model type 'visoin'. Did you mean 'vision'?"),
        (ModelConfig("a", "vision", "papr"), "unknown preset 'papr'. Did you mean 'paper'?"),
    ],
)
def test_a_misspelt_word_is_never_answered_with_the_mock(
    config: ModelConfig, words: str, project: Path
) -> None:
    with pytest.raises(UnknownNameError) as caught:
        MinimalModelSetup().get_vision_model(config)
    assert words in str(caught.value)


def test_a_preset_of_the_project_s_own_is_given_by_its_name(project: Path) -> None:
    project.joinpath("pyproject.toml").write_text(
        '[tool.potmodels.presets.ours]\nvision = "mock-cnn"\n', encoding="utf-8"
    )
    assert MinimalModelSetup().get_vision_model(vision("ours")).id.source == "mock"


def test_a_cache_folder_is_taken_before_the_environment_s(upstream: StandIn, project: Path) -> None:
    MinimalModelSetup(cache_dir=project / "elsewhere").get_vision_model(strict_vision())
    assert project.joinpath("elsewhere", "models", "torchvision_mobilenet_v2").is_dir()
    assert not project.joinpath("cache").exists()


def test_a_cache_folder_is_taken_before_the_one_of_a_yaml_file(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    yaml = project / "config.yaml"
    yaml.write_text('models:\n  download:\n    cache_dir: "models/"\n', encoding="utf-8")
    monkeypatch.delenv("POT_CACHE_DIR")
    monkeypatch.setenv("POT_CONFIG", str(yaml))
    assert MinimalModelSetup().pipeline.store.layout.models == project / "models"
    elsewhere = project / "elsewhere"
    assert MinimalModelSetup(cache_dir=elsewhere).pipeline.store.layout.root == elsewhere


def test_settings_and_a_cache_folder_are_one_too_many(project: Path) -> None:
    with pytest.raises(UsageError, match="second one"):
        MinimalModelSetup(cache_dir=project, settings=resolve_here({}))
