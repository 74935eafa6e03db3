import hashlib
from dataclasses import FrozenInstanceError, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from pytest_potmodels.artifacts import (
    MEGABYTE,
    LoadedModel,
    ModelRequest,
    RemoteFile,
    ResolvedModel,
    StoredFile,
    StoredModel,
    state_checksum,
)
from pytest_potmodels.digests import digest_of_files
from pytest_potmodels.identifiers import ModelId

ID = ModelId("huggingface", "org/model")
FILES = (StoredFile("b", 20, "b" * 64), StoredFile("a", 10, "a" * 64, "https://hub.test/a"))
STORED = StoredModel(ID, Path("entry"), "language", "transformers", FILES)


def test_a_resolved_model_adds_up_what_is_known_of_sizes() -> None:
    files = (
        RemoteFile(PurePosixPath("a"), "", size=10),
        RemoteFile(PurePosixPath("b"), "", size_hint=5),
        RemoteFile(PurePosixPath("c"), "", size=1, size_hint=100),
        RemoteFile(PurePosixPath("d"), ""),
    )
    assert ResolvedModel(ID, "language", "transformers", files).size == 16


def test_a_stored_model_has_one_digest_whatever_the_order_of_its_files() -> None:
    assert STORED.digest == digest_of_files({"a": "a" * 64, "b": "b" * 64})
    assert replace(STORED, files=FILES[::-1]).digest == STORED.digest
    assert STORED.size == 30


@pytest.mark.parametrize("change", [{"path": "c"}, {"sha256": "c" * 64}])
def test_the_digest_depends_on_names_and_bytes(change: dict[str, Any]) -> None:
    changed = replace(STORED, files=(replace(FILES[0], **change), FILES[1]))
    assert changed.digest != STORED.digest


def test_who_fetched_a_model_does_not_make_it_another() -> None:
    assert replace(STORED, fresh=True) == STORED
    assert replace(STORED, revision="x") != STORED


@pytest.mark.parametrize("kind", [ModelRequest, RemoteFile, ResolvedModel, StoredFile, StoredModel])
def test_values_between_the_steps_are_frozen_and_hashable(kind: Any) -> None:
    example: Any = {
        ModelRequest: ModelRequest(ID, "org/model", "language"),
        RemoteFile: RemoteFile(PurePosixPath("a"), ""),
        ResolvedModel: ResolvedModel(ID, "language", "transformers"),
        StoredFile: FILES[0],
        StoredModel: STORED,
    }[kind]
    assert hash(example) == hash(replace(example))
    with pytest.raises(FrozenInstanceError):
        setattr(example, fields(example)[0].name, None)


@pytest.fixture(scope="module")
def torch() -> Any:
    return pytest.importorskip("torch")


@pytest.fixture
def loaded(torch: Any) -> LoadedModel:
    model = torch.nn.Linear(1024, 256)
    model.register_buffer("seen", torch.zeros(1024))
    model.tied = model.weight
    return LoadedModel(ID, model, "pretrained", "language")


def test_memory_counts_parameters_and_buffers_once(loaded: LoadedModel) -> None:
    assert loaded.memory_mb == (1024 * 256 + 256 + 1024) * 4 / MEGABYTE


def test_a_loaded_model_is_called_like_its_model(loaded: LoadedModel, torch: Any) -> None:
    x = torch.ones(2, 1024)
    assert torch.equal(loaded(x), loaded.model(x))
    assert torch.equal(loaded(input=x), loaded.model(x))


@pytest.mark.parametrize(("source", "is_mock"), [("pretrained", False), ("mock", True)])
def test_a_mock_says_that_it_is_one(loaded: LoadedModel, source: Any, is_mock: bool) -> None:  # noqa: FBT001
    said = replace(loaded, source=source)
    assert said.is_mock == is_mock
    assert source in repr(said)


def test_the_checksum_is_that_of_the_state(loaded: LoadedModel) -> None:
    first = loaded.checksum
    assert first == state_checksum(loaded.model.state_dict())
    loaded.model.weight.data[0, 0] += 1
    assert loaded.checksum == first
    assert state_checksum(loaded.model.state_dict()) != first


def test_the_checksum_is_defined_by_name_type_shape_and_bytes(torch: Any) -> None:
    values = torch.arange(6, dtype=torch.float32)
    total = hashlib.sha256(b"w torch.float32 (6,)\n" + values.numpy().tobytes())
    assert state_checksum({"w": values}) == total.hexdigest()
    others = [
        {"v": values},
        {"w": values.reshape(2, 3)},
        {"w": values.to(torch.bfloat16)},
        {"w": values.view(torch.int32)},
        {"w": values, "extra": "state"},
    ]
    assert len({state_checksum({"w": values}), *map(state_checksum, others)}) == 6


def test_the_checksum_does_not_depend_on_order_or_layout(torch: Any) -> None:
    a, b = torch.rand(3, 4), torch.rand(5)
    assert state_checksum({"a": a, "b": b}) == state_checksum({"b": b, "a": a})
    assert state_checksum({"a": a}) == state_checksum({"a": a.t().contiguous().t()})


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (1,)])
def test_the_checksum_takes_every_shape(torch: Any, shape: tuple[int, ...]) -> None:
    assert len(state_checksum({"w": torch.zeros(shape)})) == 64
