"""Files of the user's own caches are copied, hashed and left alone."""

import hashlib
import logging
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from machine import Machine, request
from standin import Repo, StandIn

from pytest_potmodels.store import reflinks
from pytest_potmodels.store.adoption import hugging_face_hub, torch_checkpoints
from pytest_potmodels.store.provenance import read

NAME = "huggingface:org/model"
WEIGHTS = os.urandom(300_000)
FILES = {"config.json": b'{"model_type": "bert"}', "model.safetensors": WEIGHTS}


@pytest.fixture
def machine(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def repo(machine: Machine) -> Repo:
    return machine.site.add_repo("org/model", FILES)


def blob_name(data: bytes, *, large: bool) -> str:
    if large:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


@pytest.fixture
def hub_cache(tmp_path: Path) -> Callable[..., dict[str, Path]]:
    """Fill the user's cache as huggingface_hub does; the files by path."""

    def fill(files: Mapping[str, bytes] = FILES, repo: str = "org/model") -> dict[str, Path]:
        folder = tmp_path / "hf" / "hub" / f"models--{repo.replace('/', '--')}" / "blobs"
        folder.mkdir(parents=True)
        placed = {}
        for path, data in files.items():
            placed[path] = folder / blob_name(data, large=path.endswith(".safetensors"))
            placed[path].write_bytes(data)
            placed[path].chmod(0o640)
        return placed

    return fill


def state(path: Path) -> tuple[Any, ...]:
    facts = path.stat()
    return (facts.st_ino, facts.st_mode, facts.st_nlink, facts.st_mtime_ns, path.read_bytes())


def test_all_files_of_the_hubs_cache_are_taken_and_none_is_fetched(
    machine: Machine, repo: Repo, hub_cache: Any
) -> None:
    theirs = hub_cache()
    before = {path: state(file) for path, file in theirs.items()}
    stored = machine.acquire(NAME)
    assert machine.site.log.gets("config.json") == machine.site.log.gets("model.safetensors") == 0
    assert {path: (stored.path / path).read_bytes() for path in FILES} == FILES
    assert {path: state(file) for path, file in theirs.items()} == before
    for path, file in theirs.items():
        ours = (stored.path / path).stat()
        assert ours.st_ino != file.stat().st_ino
        assert stat.S_IMODE(ours.st_mode) == 0o444
    came = read(machine.store.layout, stored.path.name)
    assert {path: each.how for path, each in came.items()} == {
        path: f"adopted from {file}" for path, file in theirs.items()
    }
    assert machine.store.leftovers() == []


def test_what_is_not_there_is_fetched(machine: Machine, repo: Repo, hub_cache: Any) -> None:
    hub_cache({"config.json": FILES["config.json"]})
    stored = machine.acquire(NAME)
    assert machine.site.log.gets("config.json") == 0
    assert machine.site.log.gets("model.safetensors") == 1
    came = read(machine.store.layout, stored.path.name)
    assert came["model.safetensors"].how == "downloaded"
    assert [file.came for file in stored.files][1] == ""


@pytest.mark.parametrize(
    "damage",
    [lambda data: data[:-1] + bytes([data[-1] ^ 1]), lambda data: data[:-1], lambda _data: b""],
    ids=["a bit", "the end", "all"],
)
def test_a_wrong_file_is_said_left_alone_and_fetched(
    machine: Machine,
    repo: Repo,
    hub_cache: Any,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[bytes], bytes],
) -> None:
    theirs = hub_cache()["model.safetensors"]
    theirs.write_bytes(damage(WEIGHTS))
    before = state(theirs)
    stored = machine.acquire(NAME)
    assert (stored.path / "model.safetensors").read_bytes() == WEIGHTS
    assert machine.site.log.gets("model.safetensors") == 1
    assert state(theirs) == before
    (said,) = [each for each in caplog.records if each.levelno == logging.WARNING]
    assert str(theirs) in said.getMessage()
    assert "downloaded" in said.getMessage()
    assert read(machine.store.layout, stored.path.name)["model.safetensors"].how == "downloaded"


def test_a_pipe_or_a_folder_in_its_place_is_passed_over(
    machine: Machine, repo: Repo, hub_cache: Any
) -> None:
    theirs = hub_cache()
    theirs["config.json"].unlink()
    theirs["config.json"].mkdir()
    theirs["model.safetensors"].unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(theirs["model.safetensors"])
    stored = machine.acquire(NAME)
    assert {path: (stored.path / path).read_bytes() for path in FILES} == FILES


def test_a_snapshot_without_links_is_taken_too(
    machine: Machine, repo: Repo, tmp_path: Path
) -> None:
    folder = tmp_path / "hf" / "hub" / "models--org--model" / "snapshots" / repo.sha
    folder.mkdir(parents=True)
    for path, data in FILES.items():
        (folder / path).write_bytes(data)
    machine.acquire(NAME)
    assert machine.site.log.gets("model.safetensors") == 0


def test_the_cache_may_know_the_model_by_its_old_name(machine: Machine, hub_cache: Any) -> None:
    machine.site.add_repo("org/model", FILES, aliases=("old-name",))
    hub_cache(repo="org/model")
    machine.acquire("huggingface:old-name")
    assert machine.site.log.gets("model.safetensors") == 0


def test_fetching_again_is_not_answered_by_a_copy(
    machine: Machine, repo: Repo, hub_cache: Any
) -> None:
    hub_cache()
    machine.acquire(NAME)
    machine.acquire(NAME, again=True)
    assert machine.site.log.gets("model.safetensors") == 1


def resnet(machine: Machine, data: bytes) -> tuple[str, str]:
    """A weights file of the user's own: what to ask for, and the file's name."""
    sha256 = hashlib.sha256(data).hexdigest()
    name = f"own-{sha256[:16]}.pth"
    machine.site.add_download(f"/models/{name}", data)
    return f"https://download.pytorch.org/models/{name}", name


@pytest.mark.parametrize("right", [True, False], ids=["right", "wrong"])
def test_a_checkpoint_of_torch_hub_is_known_by_the_digest_in_its_name(
    machine: Machine,
    tmp_path: Path,
    *,
    right: bool,
) -> None:
    url, name = resnet(machine, WEIGHTS)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(WEIGHTS if right else WEIGHTS[::-1])
    stored = machine.pipeline().acquire(request("torchvision:resnet18@weights-0123", weights=url))
    assert (stored.path / name).read_bytes() == WEIGHTS
    assert machine.site.log.gets(name) == (0 if right else 1)


def test_a_file_without_a_known_digest_is_not_taken(machine: Machine, tmp_path: Path) -> None:
    machine.site.add_download("/models/own.pth", WEIGHTS)
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "own.pth").write_bytes(b"whatever")
    wish = request(
        "torchvision:resnet18@weights-0123", weights="https://download.pytorch.org/models/own.pth"
    )
    stored = machine.pipeline().acquire(wish)
    assert (stored.path / "own.pth").read_bytes() == WEIGHTS


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"HF_HUB_CACHE": "/a"}, "/a"),
        ({"HUGGINGFACE_HUB_CACHE": "/b", "HF_HOME": "/c"}, "/b"),
        ({"HF_HOME": "/c", "XDG_CACHE_HOME": "/d"}, "/c/hub"),
        ({"XDG_CACHE_HOME": "/d"}, "/d/huggingface/hub"),
        ({}, "~/.cache/huggingface/hub"),
    ],
    ids=["cache", "old", "home", "xdg", "none"],
)
def test_the_hubs_cache_is_found_by_its_own_variables(
    environ: dict[str, str], expected: str
) -> None:
    assert hugging_face_hub(environ) == Path(expected).expanduser()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"TORCH_HOME": "~/t", "XDG_CACHE_HOME": "/d"}, "~/t/hub/checkpoints"),
        ({"XDG_CACHE_HOME": "/d"}, "/d/torch/hub/checkpoints"),
        ({}, "~/.cache/torch/hub/checkpoints"),
    ],
    ids=["home", "xdg", "none"],
)
def test_torch_hubs_folder_is_found_by_its_own_variables(
    environ: dict[str, str], expected: str
) -> None:
    assert torch_checkpoints(environ) == Path(expected).expanduser()


@pytest.mark.parametrize("variable", ["HF_HOME", "TORCH_HOME"])
def test_a_home_that_nobody_has_is_no_cache_and_no_trouble(
    machine: Machine, repo: Repo, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "~nobody-of-this-name/x")
    assert (machine.acquire(NAME).path / "model.safetensors").read_bytes() == WEIGHTS
    assert torch_checkpoints(os.environ).parts[-2:] == ("hub", "checkpoints")


def test_a_clone_has_the_bytes_where_there_are_clones(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(WEIGHTS)
    with source.open("rb") as old, target.open("wb") as new:
        cloned = reflinks.clone(old, new)
    assert target.read_bytes() == (WEIGHTS if cloned else b"")
