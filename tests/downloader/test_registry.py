"""`model_registry.json`: what it says, when it is written, and what becomes of it at once."""

import json
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from machine import Machine
from standin import StandIn

from pytest_potmodels.downloader import registry
from pytest_potmodels.settings.values import Settings
from pytest_potmodels.store.locks import held

FILES = {"config.json": b"{}", "model.safetensors": b"weights"}
NAME = "huggingface:org/tiny"


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    site.add_repo("org/tiny", FILES)
    site.add_repo("org/other", FILES)
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def settings() -> Settings:
    return Settings(registry_file=Path("model_registry.json"))


def content(machine: Machine) -> Any:
    return json.loads((machine.cache / "models" / "model_registry.json").read_text())


def test_it_says_what_the_manifests_say(machine: Machine, settings: Settings) -> None:
    stored = machine.acquire(NAME)
    registry.refresh(settings, machine.store)
    manifest = json.loads((stored.path / "model_info.json").read_text())
    del manifest["schema"]
    (entry,) = content(machine)["models"].items()
    assert entry[0] == "huggingface_org--tiny"
    assert {key: entry[1][key] for key in manifest} == manifest


def test_without_a_name_for_it_there_is_none(machine: Machine) -> None:
    machine.acquire(NAME)
    registry.refresh(Settings(), machine.store)
    assert machine.visible() == ["huggingface_org--tiny"]


def test_a_cache_that_is_not_there_is_not_made(machine: Machine, settings: Settings) -> None:
    registry.refresh(settings, machine.store)
    assert not machine.cache.exists()


def test_the_file_may_lie_elsewhere(machine: Machine, settings: Settings, tmp_path: Path) -> None:
    machine.acquire(NAME)
    elsewhere = tmp_path / "lists" / "known.json"
    registry.refresh(replace(settings, registry_file=elsewhere), machine.store)
    assert list(json.loads(elsewhere.read_text())["models"]) == ["huggingface_org--tiny"]


def test_a_file_that_says_the_same_is_left_alone(machine: Machine, settings: Settings) -> None:
    machine.acquire(NAME)
    registry.refresh(settings, machine.store)
    file = machine.cache / "models" / "model_registry.json"
    os.utime(file, (1, 1))
    registry.refresh(settings, machine.store)
    assert file.stat().st_mtime == 1
    machine.store.remove(machine.store.entries()[0])
    registry.refresh(settings, machine.store)
    assert content(machine)["models"] == {}


def test_where_nothing_has_changed_no_lock_is_taken(
    machine: Machine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    machine.acquire(NAME)
    registry.refresh(settings, machine.store)
    with held(machine.store.layout.lock("registry"), timeout=5):
        registry.refresh(settings, machine.store)
    assert [each for each in caplog.records if each.levelno >= logging.WARNING] == []


def test_nothing_is_read_from_it(machine: Machine, settings: Settings) -> None:
    machine.acquire(NAME)
    file = machine.cache / "models" / "model_registry.json"
    file.write_bytes(b"\xff no json")
    assert [str(each.id) for each in machine.store.entries()] == [NAME]
    registry.refresh(settings, machine.store)
    assert list(content(machine)["models"]) == ["huggingface_org--tiny"]


def test_a_list_that_cannot_be_written_is_a_warning(
    machine: Machine, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    machine.acquire(NAME)
    (machine.cache / "models" / "model_registry.json").mkdir()
    registry.refresh(settings, machine.store)
    (said,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert "model_registry.json does not say what is stored now" in said.getMessage()


def test_whoever_writes_last_has_seen_all_that_is_there(
    machine: Machine, settings: Settings
) -> None:
    def bring(name: str) -> None:
        machine.acquire(name)
        registry.refresh(settings, machine.store)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(bring, (NAME, "huggingface:org/other")))
    assert sorted(content(machine)["models"]) == machine.visible()[:2]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("model_registry.json", '{"resnet18": {"path": "models/torchvision_resnet18"}}'),
        ("model_registry.json", '["mine"]'),
        ("config.yaml", "models:\n  download:\n"),
    ],
    ids=["of another program", "list", "no JSON"],
)
def test_a_file_of_somebody_else_is_left_alone(
    machine: Machine, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, text: str
) -> None:
    machine.acquire(NAME)
    file = tmp_path / name
    file.write_text(text)
    registry.refresh(Settings(registry_file=file), machine.store)
    assert file.read_text() == text
    (said,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert f"{file} is no list of this cache" in said.getMessage()
    assert "registry_file" in said.getMessage()


@pytest.mark.parametrize("text", ["", "{}", '{"schema": 1, "models": {"cut'])
def test_a_list_that_is_empty_or_cut_is_written_anew(
    machine: Machine, settings: Settings, text: str
) -> None:
    machine.acquire(NAME)
    (machine.cache / "models" / "model_registry.json").write_text(text)
    registry.refresh(settings, machine.store)
    assert list(content(machine)["models"]) == ["huggingface_org--tiny"]
