"""The chain: the real model, the cached one, the mock; and what is never answered with a mock."""

import logging
import sys
from pathlib import Path

import pytest
from standin import FlippedByte, StandIn, Status

from pytest_potmodels.errors import (
    DigestMismatchError,
    MissingPackageError,
    Reason,
    StoreError,
    UnavailableError,
)
from pytest_potmodels.model_setup import MinimalModelSetup, ModelConfig


def vision() -> ModelConfig:
    return ModelConfig("vision_model", "vision")


def strict_vision() -> ModelConfig:
    return ModelConfig("vision_model", "vision", fallback_to_mock=False)


def test_without_network_and_cache_the_mock_steps_in_with_a_warning(
    offline: None, caplog: pytest.LogCaptureFixture
) -> None:
    model = MinimalModelSetup().get_vision_model(vision())
    assert model.is_mock
    assert model.source == "mock"
    (record,) = [record for record in caplog.records if "Using mock for" in record.message]
    assert record.levelno == logging.WARNING
    assert "Using mock for mobilenet_v2: " in record.message
    assert "network=block" in record.message


def test_a_mock_that_is_given_again_still_says_so(offline: None) -> None:
    setup, config = MinimalModelSetup(), vision()
    first, second = setup.get_vision_model(config), setup.get_vision_model(config)
    assert second.model is first.model
    assert second.source == "mock"


def test_without_fallback_the_true_error_is_raised(offline: None) -> None:
    with pytest.raises(UnavailableError, match="not in the cache") as caught:
        MinimalModelSetup().get_vision_model(strict_vision())
    assert caught.value.reason is Reason.NOT_CACHED


def test_a_cached_model_is_real_when_the_upstream_is_down(upstream: StandIn) -> None:
    MinimalModelSetup().get_vision_model(vision())
    upstream.close()
    model = MinimalModelSetup().get_vision_model(strict_vision())
    assert (model.id.name, model.source) == ("mobilenet_v2", "cached")


def test_a_server_that_fails_is_answered_with_the_mock(
    upstream: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.fault(Status(500), server="hub", times=None)
    config = ModelConfig("a", "language")
    assert MinimalModelSetup().get_language_model(config).is_mock
    assert "Using mock for distilbert-base-uncased" in caplog.text


def test_wrong_bytes_are_never_answered_with_the_mock(upstream: StandIn) -> None:
    upstream.fault(FlippedByte(at=5000), server="downloads", times=None)
    with pytest.raises(DigestMismatchError, match=r"^Checksum mismatch: .*mobilenet_v2"):
        MinimalModelSetup().get_vision_model(vision())


def test_a_damaged_file_that_cannot_be_mended_is_never_answered_with_the_mock(
    upstream: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = MinimalModelSetup().get_vision_model(vision())
    assert stored.path is not None
    (file,) = stored.path.glob("*.pth")
    file.chmod(0o644)
    file.write_bytes(b"damaged")
    monkeypatch.setenv("POT_NETWORK", "block")
    with pytest.raises(DigestMismatchError, match="Checksum mismatch"):
        MinimalModelSetup().get_vision_model(vision())


def test_more_memory_than_allowed_is_answered_with_the_mock(
    upstream: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    config = vision()
    config.memory_limit_mb = 10
    assert MinimalModelSetup().get_vision_model(config).is_mock
    assert "Using mock for mobilenet_v2: mobilenet_v2 takes 13.5 MB" in caplog.text
    assert "allows 10 MB" in caplog.text


def test_more_memory_than_allowed_is_an_error_with_both_figures(upstream: StandIn) -> None:
    config = strict_vision()
    config.memory_limit_mb = 13
    with pytest.raises(UnavailableError, match=r"13\.5 MB .* 13 MB") as caught:
        MinimalModelSetup().get_vision_model(config)
    assert caught.value.reason is Reason.MEMORY_LIMIT
    assert "memory_limit_mb=14" in caught.value.remedy


def test_as_much_memory_as_allowed_is_fine(upstream: StandIn) -> None:
    config = strict_vision()
    config.memory_limit_mb = 14
    assert MinimalModelSetup().get_vision_model(config).source == "pretrained"


@pytest.mark.parametrize(
    ("package", "kind", "title"),
    [
        ("transformers", "language", "Transformers not available"),
        ("torchvision", "vision", "Torchvision not available"),
    ],
)
def test_a_missing_package_is_named_with_its_pip_line(
    package: str,
    kind: str,
    title: str,
    upstream: StandIn,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    config = ModelConfig("a", kind)
    assert MinimalModelSetup().get_model(config).is_mock
    assert f"Using mock for {config_name(kind)}: {title}" in caplog.text
    config.fallback_to_mock = False
    with pytest.raises(MissingPackageError, match=title) as caught:
        MinimalModelSetup().get_model(config)
    assert f"pip install {package}" in str(caught.value)


def config_name(kind: str) -> str:
    return {"vision": "mobilenet_v2", "language": "distilbert-base-uncased"}[kind]


def test_a_cache_folder_that_takes_no_files_is_answered_with_the_mock(
    upstream: StandIn, project: Path, caplog: pytest.LogCaptureFixture
) -> None:
    project.joinpath("file").touch()
    setup = MinimalModelSetup(cache_dir=project / "file" / "cache")
    assert setup.get_vision_model(vision()).is_mock
    assert "cannot be written" in caplog.text
    with pytest.raises(StoreError, match="cannot be written"):
        setup.get_vision_model(strict_vision())


def test_a_setting_that_forbids_mocks_is_stronger_than_the_configuration(
    offline: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_MOCK", "never")
    with pytest.raises(UnavailableError):
        MinimalModelSetup().get_vision_model(vision())


def test_a_setting_that_asks_for_mocks_brings_nothing(
    upstream: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_MOCK", "always")
    setup = MinimalModelSetup()
    assert setup.get_vision_model(vision()).is_mock
    assert len(upstream.log) == 0
    with pytest.raises(UnavailableError, match="only mocks are allowed"):
        setup.get_vision_model(strict_vision())
