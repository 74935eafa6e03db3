import json
import subprocess
import sys
from pathlib import Path

import pytest
from standin import FlippedByte, StandIn

from pytest_potmodels.errors import (
    DigestMismatchError,
    Reason,
    UnavailableError,
    UnknownNameError,
)
from pytest_potmodels.model_setup import (
    default_setup,
    download_real_model,
    get_minimal_vision_model,
    get_mock_model,
    get_model_with_fallback,
    get_test_models,
    preset_of_architecture,
)

CHILD = Path(__file__).with_name("child_test_models.py")


def test_the_test_preset_has_the_same_bits_in_every_process_and_needs_torch_alone(
    project: Path,
) -> None:
    command = [sys.executable, str(CHILD)]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    told = json.loads(child.stdout)
    here = {kind: model.checksum for kind, model in get_test_models().items()}
    assert told == {"before": False, "checksums": here, "brought": ["torch"]}


def test_getters_give_the_same_object_again(project: Path) -> None:
    first, second = get_test_models(), get_test_models()
    assert second["vision"].model is first["vision"].model
    assert second["language"].model is first["language"].model


def test_a_cache_folder_set_after_the_first_call_is_meant(
    upstream: StandIn, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    get_minimal_vision_model()
    monkeypatch.setenv("POT_CACHE_DIR", str(project / "later"))
    model = get_minimal_vision_model()
    assert model.source == "pretrained"
    assert model.path is not None
    assert model.path.is_relative_to(project / "later")


def test_the_shared_setup_can_be_emptied(project: Path) -> None:
    first = get_test_models()["vision"]
    assert default_setup().get_memory_report()["model_count"] == 2
    default_setup().clear_cache()
    assert get_test_models()["vision"].model is not first.model


def test_a_real_model_is_downloaded_or_refused(upstream: StandIn) -> None:
    assert download_real_model("vision").source == "pretrained"
    upstream.close()
    with pytest.raises(UnavailableError):
        download_real_model("language")


def test_a_preset_of_mocks_has_no_real_model(project: Path) -> None:
    with pytest.raises(UnavailableError, match="is a mock, not a real model") as caught:
        download_real_model("vision", "test")
    assert caught.value.reason is Reason.MOCK_ONLY


def test_the_fallback_ends_in_the_mock(offline: None, caplog: pytest.LogCaptureFixture) -> None:
    model = get_model_with_fallback("language")
    assert model.is_mock
    assert model.checksum == get_mock_model("language").checksum
    assert "Using mock for distilbert-base-uncased" in caplog.text


def test_the_fallback_does_not_end_in_the_mock_for_wrong_bytes(upstream: StandIn) -> None:
    upstream.fault(FlippedByte(at=5000), server="downloads", times=None)
    with pytest.raises(DigestMismatchError, match="Checksum mismatch"):
        get_model_with_fallback("vision")


def test_each_mock_is_a_fresh_one(project: Path) -> None:
    assert get_mock_model("vision").model is not get_mock_model("vision").model


@pytest.mark.parametrize("getter", [get_mock_model, get_model_with_fallback, download_real_model])
def test_an_unknown_model_type_is_told(getter: object, project: Path) -> None:
    assert callable(getter)
    with pytest.raises(UnknownNameError, match="unknown model type 'audio'"):
        getter("audio")


def test_an_unknown_architecture_is_told_with_close_matches(project: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'resnet18'"):
        preset_of_architecture("resnet81")
