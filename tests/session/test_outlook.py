"""What would become of a model, told without fetching it."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from machine import PYTORCH, Machine, request
from standin import Hang, StandIn
from standin.models import tiny_bert

from pytest_potmodels.artifacts import ModelRequest
from pytest_potmodels.lockfile.writing import as_text
from pytest_potmodels.session import outlook
from pytest_potmodels.session.outlook import Outlook, outlooks, room_for
from pytest_potmodels.session.plan import Need, Plan
from pytest_potmodels.store.layout import short_hash

MODEL = "huggingface:org/model"
SIZE = sum(len(data) for data in tiny_bert().values())
WEIGHTS = len(tiny_bert()["model.safetensors"])

Found = Callable[..., list[Outlook]]


@pytest.fixture
def machine(site: StandIn, tmp_path: Path) -> Machine:
    site.add_repo("org/model", tiny_bert())
    return Machine(site, tmp_path / "cache")


def plan(*requests: ModelRequest, **facts: Any) -> Plan:
    known = {"tests": ("t",), "required": False, "by_mark": True, **facts}
    return Plan(tuple(Need(each, (each.asked,), **known) for each in requests))


def one(machine: Machine, asked: ModelRequest, **options: Any) -> Outlook:
    (found,) = outlooks(plan(asked), machine.pipeline(**options))
    return found


def damage(machine: Machine) -> Path:
    weights = machine.acquire(MODEL).path / "model.safetensors"
    weights.chmod(0o644)
    weights.write_bytes(b"damaged")
    return weights


def test_a_damaged_file_is_to_be_fetched_again_alone(machine: Machine) -> None:
    damage(machine)
    found = one(machine, request(MODEL))
    assert (found.state, found.size, found.missing) == ("to fetch", SIZE, WEIGHTS)
    assert room_for([found], machine.pipeline()).wanted == WEIGHTS


def test_a_damaged_file_cannot_be_had_without_a_network(machine: Machine) -> None:
    weights = damage(machine)
    found = one(machine, request(MODEL), closed_by="--pot-offline")
    assert (found.state, found.reason) == ("unavailable", "DigestMismatchError")
    assert "model.safetensors" in found.why
    assert weights.read_bytes() == b"damaged"  # Nothing is moved or mended.


def test_a_damaged_manifest_is_told_by_its_name(machine: Machine) -> None:
    manifest = machine.acquire(MODEL).path / "model_info.json"
    manifest.chmod(0o644)
    manifest.write_text("{")
    found = one(machine, request(MODEL), closed_by="--pot-offline")
    assert (found.state, found.reason) == ("unavailable", "DigestMismatchError")
    assert one(machine, request(MODEL)).state == "to fetch"


def test_two_names_of_one_model_count_once_in_all(machine: Machine) -> None:
    old, new = "bert-base-uncased", "google-bert/bert-base-uncased"
    machine.site.add_repo(new, tiny_bert(), aliases=(old,))
    both = plan(request(f"huggingface:{old}"), request(f"huggingface:{new}"))
    pipeline = machine.pipeline()
    found = outlooks(both, pipeline)
    assert [each.missing for each in found] == [SIZE, SIZE]
    assert room_for(found, pipeline).wanted == SIZE


def test_what_a_killed_run_left_need_not_come_again(machine: Machine) -> None:
    found = one(machine, request(MODEL))
    entry = machine.acquire(MODEL).path
    stage = machine.store.layout.stage(f"{entry.name}@{short_hash(found.revision or '')}")
    stage.parent.mkdir(exist_ok=True)
    entry.rename(stage)
    (stage / "model_info.json").unlink()
    assert (found.missing, one(machine, request(MODEL)).missing) == (SIZE, 0)


def test_a_size_that_nobody_states_is_unknown(machine: Machine) -> None:
    asked = request("torchvision:resnet18", weights=f"{PYTORCH}/own.pth", kind="vision")
    found = one(machine, asked)
    assert (found.state, found.size, found.missing) == ("to fetch", None, 0)


def test_a_server_that_hangs_has_its_time(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outlook, "_PATIENCE", 1.0)
    machine.site.fault(Hang(), "/api/models/", times=None)
    found = one(machine, request(MODEL))
    assert (found.state, found.reason) == ("unavailable", "timeout")


def test_a_library_that_is_absent_is_told_for_models_that_are_loaded(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pytest_potmodels import loading  # noqa: PLC0415

    monkeypatch.setattr(loading, "_PACKAGES", {"transformers": ("no_such_package",)})
    loaded = plan(request(MODEL), by_mark=False)
    (found,) = outlooks(loaded, machine.pipeline())
    assert (found.state, found.reason) == ("unavailable", "package-missing")
    assert one(machine, request(MODEL)).state == "to fetch"


def test_models_are_sorted_by_name(machine: Machine) -> None:
    names = ["huggingface:z/z", "huggingface:a/a", MODEL]
    found = outlooks(plan(*map(request, names)), machine.pipeline(closed_by="--pot-offline"))
    assert [each.need.request.asked for each in found] == sorted(names)


def test_a_mock_by_decree_needs_no_lock(machine: Machine, tmp_path: Path) -> None:
    lock = tmp_path / "potmodels.lock"
    lock.write_text(as_text([]), encoding="utf-8")
    pipeline = machine.pipeline()
    pipeline.settings = replace(pipeline.settings, lock=lock, locked=True)
    (refused,) = outlooks(plan(request(MODEL)), pipeline)
    assert (refused.state, refused.reason) == ("unavailable", "not-locked")
    pipeline.settings = replace(pipeline.settings, mock="always")
    (found,) = outlooks(plan(request(MODEL)), pipeline)
    assert found.state == "mock"
