"""One ONNX file of a repository, as a model of its own: `huggingface:org/model:onnx/model.onnx`."""

import hashlib
from pathlib import Path

import pytest
from machine import Machine, request
from standin import Repo, StandIn

from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import ModelId, file_in, parse, split_file
from pytest_potmodels.sources.selection import onnx_file

REPO = "huggingface:org/model"
NAME = f"{REPO}:onnx/model.onnx"
GRAPH, DATA = b"graph" * 100, b"weights" * 1000
FILES = {
    "config.json": b'{"model_type": "bert"}',
    "model.safetensors": b"torch" * 100,
    "tokenizer.json": b"{}",
    "onnx/model.onnx": GRAPH,
    "onnx/model.onnx_data": DATA,
    "onnx/model_quantized.onnx": b"small",
}


@pytest.fixture
def machine(site: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    return Machine(site, tmp_path / "cache")


@pytest.fixture
def repo(machine: Machine) -> Repo:
    return machine.site.add_repo("org/model", FILES, aliases=("old-name",))


def test_the_file_and_its_weights_are_an_entry_of_their_own(machine: Machine, repo: Repo) -> None:
    stored = machine.acquire(NAME)
    names = ["config.json", "onnx/model.onnx", "onnx/model.onnx_data"]
    assert [file.path for file in stored.files] == names
    assert (stored.path / "onnx" / "model.onnx").read_bytes() == GRAPH
    assert (stored.format, stored.revision) == ("onnx", repo.refs["main"])
    assert machine.visible() == ["huggingface_org--model_onnx--model.onnx"]


def test_the_model_and_its_files_do_not_get_in_each_others_way(
    machine: Machine, repo: Repo
) -> None:
    whole, file = machine.acquire(REPO), machine.acquire(NAME)
    assert (whole.format, file.format) == ("transformers", "onnx")
    assert whole.path != file.path
    machine.site.log.clear()
    assert machine.acquire(REPO) == whole
    assert machine.acquire(NAME) == file
    assert len(machine.site.log) == 0


def test_an_old_name_of_the_repository_finds_the_file(machine: Machine, repo: Repo) -> None:
    stored = machine.acquire("huggingface:old-name:onnx/model.onnx")
    assert stored.aliases == ("org/model:onnx/model.onnx",)
    machine.site.log.clear()
    assert machine.acquire(NAME).path == stored.path
    assert len(machine.site.log) == 0


def test_a_revision_may_be_named(machine: Machine, repo: Repo) -> None:
    first = repo.refs["main"]
    repo.commit({"onnx/model.onnx": b"next"})
    assert machine.acquire(f"{NAME}@{first}").revision == first


def test_the_users_own_cache_is_looked_at(machine: Machine, repo: Repo, tmp_path: Path) -> None:
    blobs = tmp_path / "hf" / "hub" / "models--org--model" / "blobs"
    blobs.mkdir(parents=True)
    (blobs / hashlib.sha256(GRAPH).hexdigest()).write_bytes(GRAPH)
    machine.acquire(NAME)
    assert not machine.site.log.gets("onnx/model.onnx")


def test_a_file_that_is_not_there_is_told_with_those_that_are(machine: Machine, repo: Repo) -> None:
    with pytest.raises(UnavailableError) as caught:
        machine.acquire(f"{REPO}:model.onnx")
    assert caught.value.reason == Reason.UNKNOWN_MODEL
    assert "onnx/model.onnx, onnx/model_quantized.onnx" in caught.value.message


def test_only_onnx_files_are_had_by_themselves(machine: Machine, repo: Repo) -> None:
    with pytest.raises(UsageError, match=r"is no ONNX file"):
        machine.acquire(f"{REPO}:tokenizer.json")


def test_names_that_no_file_system_should_see_are_left_out() -> None:
    listing = ["model.onnx", "model.onnx_data", "model.onnx.data", "model.onnx_data/../x", "m.onnx"]
    assert onnx_file(listing, "model.onnx", "x") == (
        "model.onnx", "model.onnx.data", "model.onnx_data",
    )  # fmt: skip


def test_a_repository_is_described_without_a_fetch(machine: Machine, repo: Repo) -> None:
    said = machine.pipeline().describe(request("huggingface:old-name"))
    assert said.name == "org/model"
    assert said.revision == repo.refs["main"]
    assert said.files["onnx/model.onnx_data"] == len(DATA)
    assert (said.model_type, said.library, said.license) == ("bert", "transformers", "apache-2.0")
    assert not (machine.cache / "models").exists()


def test_what_is_in_no_repository_is_not_described(machine: Machine) -> None:
    with pytest.raises(UsageError, match="in no repository"):
        machine.pipeline().describe(request("torchvision:resnet18"))


@pytest.mark.parametrize(
    "text",
    [
        *("huggingface:org/model:", "huggingface:org/model:../x.onnx"),
        *("huggingface:org/model:/x.onnx", "huggingface:org/model:a//b.onnx"),
        *("huggingface:org/model:a:b.onnx", "huggingface::x.onnx"),
        "huggingface:org/model:.hidden.onnx",
    ],
    ids=range(7),
)
def test_a_path_that_cannot_be_meant_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text)


def test_an_id_is_taken_apart_and_put_together() -> None:
    model_id = parse(f"{NAME}@v1")
    assert model_id == ModelId("huggingface", "org/model:onnx/model.onnx", "v1")
    repository, file = split_file(model_id)
    assert (str(repository), file) == ("huggingface:org/model@v1", "onnx/model.onnx")
    assert file_in(repository, file) == model_id
    assert file_in(model_id, "other.onnx").name == "org/model:other.onnx"
    url = ModelId("url", "https://host/a:b")
    assert split_file(url) == (url, "")
