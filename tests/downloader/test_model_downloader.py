"""ModelDownloader and the functions beside it, on real files from a real server."""

import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest
from standin import FlippedByte, StandIn, Status

from pytest_potmodels.downloader import (
    ModelDownloader,
    auto_download_model,
    download_multiple_models,
    download_preset_models,
    ensure_model_available,
    get_model_downloader,
)
from pytest_potmodels.errors import (
    DigestMismatchError,
    Reason,
    UnavailableError,
    UnknownNameError,
    UsageError,
)

CLOSED = "models:\n  download:\n    cache_dir: mine/\n    auto_download: false\n"


@pytest.fixture
def closed(upstream: StandIn, project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose config.yaml says `auto_download: false`."""
    path = project / "config.yaml"
    path.write_text(CLOSED)
    monkeypatch.setenv("POT_CONFIG", str(path))
    monkeypatch.delenv("POT_CACHE_DIR")
    return path


def test_the_folder_and_the_facts_of_a_model_come_back(upstream: StandIn, project: Path) -> None:
    path, info = auto_download_model("mobilenet_v2")
    assert path == project / "cache" / "models" / "torchvision_mobilenet_v2"
    assert (info.name, info.id) == ("torchvision_mobilenet_v2", "torchvision:mobilenet_v2")
    assert (info.source, info.revision, info.kind) == ("torchvision", "IMAGENET1K_V1", "vision")
    assert (info.path, info.files) == (str(path), tuple(f.name for f in path.glob("*.pth")))
    assert info.size_mb == pytest.approx(sum(f.stat().st_size for f in path.glob("*.pth")) / 2**20)
    assert info.fresh


def test_what_is_known_of_a_model_goes_into_json(upstream: StandIn) -> None:
    _, info = auto_download_model("bert-base-uncased")
    told = json.loads(json.dumps(info.as_json()))
    assert (told["id"], told["source"]) == ("huggingface:bert-base-uncased", "huggingface")
    assert told["aliases"] == ["google-bert/bert-base-uncased"]
    assert "model.safetensors" in told["files"]


def test_a_model_that_is_there_costs_no_request_unless_it_is_forced(upstream: StandIn) -> None:
    auto_download_model("resnet18")
    upstream.log.clear()
    assert not auto_download_model("resnet18")[1].fresh
    assert not ensure_model_available("resnet18")[1].fresh
    assert len(upstream.log) == 0
    assert auto_download_model("resnet18", force=True)[1].fresh
    assert upstream.log.gets("resnet18") == 1


@pytest.mark.parametrize(
    ("identifier", "error"),
    [
        ("resnet_18", UnknownNameError),
        ("torchvison:resnet18", UnknownNameError),
        ("", UsageError),
        ("huggingface:org/absent", UnavailableError),
        ("mock-cnn", UnavailableError),
        (18, UsageError),
    ],
)
def test_what_cannot_be_had_is_an_error(
    upstream: StandIn, identifier: str, error: type[Exception]
) -> None:
    for function in (auto_download_model, ensure_model_available):
        with pytest.raises(error):
            function(identifier)


def test_only_a_url_takes_a_name(upstream: StandIn) -> None:
    with pytest.raises(UsageError, match="only a URL needs a name; torchvision:resnet18 has its"):
        auto_download_model("resnet18", model_name="mine")
    assert len(upstream.log) == 0


def test_wrong_bytes_are_an_error_of_their_own(upstream: StandIn, project: Path) -> None:
    upstream.fault(FlippedByte(at=3), "mobilenet_v2", times=None)
    with pytest.raises(DigestMismatchError):
        ensure_model_available("mobilenet_v2")
    assert get_model_downloader().list_available_models() == {}


def test_without_auto_download_only_what_is_asked_for_by_hand_is_fetched(
    closed: Path, upstream: StandIn, project: Path
) -> None:
    with pytest.raises(UnavailableError) as raised:
        ensure_model_available("mobilenet_v2")
    assert raised.value.reason == Reason.NOT_CACHED
    assert f"closed by auto_download: false in {closed}:4" in raised.value.message
    assert raised.value.remedy == f"potmodels download mobilenet_v2 --config {closed}"
    assert len(upstream.log) == 0
    path, info = auto_download_model("mobilenet_v2")
    assert (path, info.fresh) == (project / "mine" / "torchvision_mobilenet_v2", True)
    assert ensure_model_available("mobilenet_v2")[0] == path
    assert download_multiple_models(["resnet50"])["resnet50"].ok


def test_a_network_closed_on_purpose_is_closed_by_hand_too(
    closed: Path, upstream: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POT_NETWORK", "block")
    with pytest.raises(UnavailableError, match="closed by network=block") as raised:
        auto_download_model("mobilenet_v2")
    assert raised.value.remedy.startswith("once, with the network open: potmodels download")
    assert len(upstream.log) == 0


def test_a_disabled_source_names_file_and_line(
    upstream: StandIn, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = "models:\n  download:\n    sources:\n      torchvision:\n        enabled: false\n"
    (project / "config.yaml").write_text(text)
    monkeypatch.setenv("POT_CONFIG", "config.yaml")
    with pytest.raises(UsageError, match=r"disabled in config\.yaml:5"):
        auto_download_model("resnet18")
    assert get_model_downloader().get_config()["sources"]["torchvision"] == {"enabled": False}


def test_one_failure_among_many_is_a_value(
    upstream: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    upstream.fault(Status(404), "mobilenet_v2", times=None)
    wanted = ["resnet50", "mobilenet_v2", "resnet_18", "vgg16", "resnet50"]
    results = download_multiple_models(wanted)
    assert list(results) == ["resnet50", "mobilenet_v2", "resnet_18", "vgg16"]
    assert [result.ok for result in results.values()] == [True, False, False, True]
    failed = results["mobilenet_v2"]
    assert (failed.path, failed.info, failed.identifier) == (None, None, "mobilenet_v2")
    assert isinstance(failed.error, UnavailableError)
    assert isinstance(results["resnet_18"].error, UnknownNameError)
    there = results["vgg16"]
    assert there.path is not None
    assert there.info is not None
    assert there.path.name == there.info.name == "torchvision_vgg16"
    assert [each.message for each in caplog.records if each.levelno == logging.WARNING] != []


def test_no_names_are_no_results_and_a_text_is_no_list(upstream: StandIn) -> None:
    assert download_multiple_models([]) == {}
    with pytest.raises(UsageError, match="is no list of names"):
        download_multiple_models("resnet18")


@pytest.mark.parametrize(("preset", "count"), [("vision", 5), ("nlp", 3), ("all", 8), ("paper", 2)])
def test_a_collection_or_preset_is_all_its_models(
    upstream: StandIn, preset: str, count: int
) -> None:
    results = download_preset_models(preset)
    assert [result.ok for result in results.values()] == [True] * count


def test_an_unknown_collection_has_close_matches(upstream: StandIn) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'basic'"):
        download_preset_models("basik")


def test_what_is_cached_is_known_by_folder_and_by_any_name(upstream: StandIn) -> None:
    downloader = get_model_downloader()
    path, _ = auto_download_model("bert-base-uncased")
    for name in ("huggingface_bert-base-uncased", "bert", "hf:google-bert/bert-base-uncased"):
        assert downloader.is_model_cached(name)
        assert downloader.get_model_path(name) == path
    for name in ("torchvision_resnet18", "resnet18", "pytorch_hub_x", "url_custom_model"):
        assert not downloader.is_model_cached(name)
        with pytest.raises(UnavailableError, match=f"{name} is not in "):
            downloader.get_model_path(name)


def test_a_name_that_nothing_explains_is_an_error(upstream: StandIn) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'resnet18'"):
        get_model_downloader().is_model_cached("resnet_18")
    with pytest.raises(UnknownNameError):
        get_model_downloader().get_model_path("resnet_18")


def test_a_model_whose_file_was_changed_is_not_cached(upstream: StandIn) -> None:
    path, info = auto_download_model("mobilenet_v2")
    file = path / info.files[0]
    file.chmod(0o644)
    file.write_bytes(b"spoilt")
    assert not get_model_downloader().is_model_cached("mobilenet_v2")
    assert auto_download_model("mobilenet_v2")[1].fresh
    assert get_model_downloader().is_model_cached("mobilenet_v2")


def test_a_damaged_entry_is_left_out_of_the_list_with_a_warning(
    upstream: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    auto_download_model("resnet50")
    path, _ = auto_download_model("mobilenet_v2")
    (path / "model_info.json").chmod(0o644)
    (path / "model_info.json").write_text("{")
    assert list(get_model_downloader().list_available_models()) == ["torchvision_resnet50"]
    assert "torchvision_mobilenet_v2 is left out" in caplog.text


def test_models_used_in_place_are_not_in_the_list(upstream: StandIn, project: Path) -> None:
    (project / "own").mkdir()
    (project / "own" / "config.json").write_text('{"model_type": "bert"}')
    (project / "own" / "model.safetensors").write_bytes(b"weights")
    path, info = auto_download_model("file:own")
    assert (path, info.source) == (project / "own", "file")
    assert get_model_downloader().list_available_models() == {}


def test_the_configuration_is_plain_values(
    closed: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = json.loads(json.dumps(get_model_downloader().get_config()))
    assert not config["auto_download"]
    assert config["cache_dir"] == str(project / "mine")
    assert config["registry_file"] == str(project / "mine" / "model_registry.json")
    assert config["sources"]["url"] == {
        "enabled": True,
        "verify_ssl": True,
        "timeout_seconds": 600.0,
    }
    monkeypatch.delenv("POT_CONFIG")
    config = get_model_downloader().get_config()
    assert config["auto_download"]
    assert (config["registry_file"], config["config"]) == (None, None)


def test_the_downloader_is_one_until_the_settings_change(
    upstream: StandIn, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = get_model_downloader()
    assert get_model_downloader() is first
    monkeypatch.setenv("POT_CACHE_DIR", str(project / "other"))
    second = get_model_downloader()
    assert second is not first
    assert second.get_config()["cache_dir"] == str(project / "other" / "models")
    (project / "potmodels.toml").write_text("jobs = 2\n")
    third = get_model_downloader()
    assert (third is not second, third.settings.jobs) == (True, 2)
    os.chdir(project.parent)
    assert get_model_downloader().settings.jobs == 4


def test_settings_may_be_given(upstream: StandIn, project: Path) -> None:
    mine = ModelDownloader(get_model_downloader().settings)
    assert mine.auto_download_model("mobilenet_v2")[1].fresh
    assert not auto_download_model("mobilenet_v2")[1].fresh


def test_a_damaged_manifest_is_not_cached(upstream: StandIn) -> None:
    path, _ = auto_download_model("mobilenet_v2")
    manifest = path / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    for name in ("mobilenet_v2", path.name):
        assert not get_model_downloader().is_model_cached(name)
    with pytest.raises(DigestMismatchError, match="no readable manifest"):
        get_model_downloader().get_model_path("mobilenet_v2")


@pytest.mark.parametrize("names", [None, 5, b"resnet18", [None], [["resnet18"]], {"resnet18": 1}])
def test_what_are_no_names_is_said(upstream: StandIn, names: Any) -> None:
    with pytest.raises(UsageError, match="is no list of names"):
        download_multiple_models(names)


@pytest.mark.parametrize("name", [None, 5, ["resnet18"]])
def test_what_is_no_name_is_said(upstream: StandIn, name: Any) -> None:
    for ask in (get_model_downloader().is_model_cached, get_model_downloader().get_model_path):
        with pytest.raises(UsageError, match="is no model name"):
            ask(name)


def test_secrets_of_a_url_are_said_nowhere(
    upstream: StandIn, caplog: pytest.LogCaptureFixture
) -> None:
    url = "https://ada:hunter2@example.com/absent.pt?x=1&token=hunter3"
    (result,) = download_multiple_models([url]).values()
    said = [str(result.error), caplog.text]
    with pytest.raises(UnavailableError) as raised:
        get_model_downloader().get_model_path(url)
    with pytest.raises(UsageError) as no_list:
        download_multiple_models(url)
    for text in (*said, str(raised.value), str(no_list.value)):
        assert "absent.pt" in text
        assert "hunter" not in text
