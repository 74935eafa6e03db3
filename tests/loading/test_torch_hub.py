"""Models of PyTorch Hub from their stored folder: mapped, pristine, without a network."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hub_repos import hubconf, tiny_files, weights
from loading.same import Machine, stock

from pytest_potmodels.artifacts import LoadOptions, StoredModel
from pytest_potmodels.errors import Reason, UnavailableError, UsageError
from pytest_potmodels.identifiers import ModelId
from pytest_potmodels.loading import load

Make = Callable[..., StoredModel]


@pytest.fixture
def entry(store: Any, tmp_path: Path) -> Make:
    """A stored entry: files in `code`, and in `checkpoints` what its code fetched."""

    def make(
        code: dict[str, bytes], checkpoints: dict[str, bytes], name: str = "tiny"
    ) -> StoredModel:
        folder = tmp_path / "entry"
        files = {f"code/{path}": data for path, data in code.items()}
        files |= {f"checkpoints/{path}": data for path, data in checkpoints.items()}
        for path, data in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        stored: StoredModel = store(
            folder,
            id=ModelId("pytorch_hub", f"acme/nets/{name}"),
            kind="vision",
            format="torch_hub",
            architecture=name,
            revision="1" * 40,
            origin="https://github.com/acme/nets",
        )
        return stored

    return make


@pytest.fixture
def tiny(entry: Make) -> StoredModel:
    name, data = weights()
    return entry(tiny_files(name), {name: data})


def test_the_model_has_the_stored_weights_and_is_mapped(
    tiny: StoredModel, machine: Machine
) -> None:
    (path,) = (tiny.path / "checkpoints").iterdir()
    state = torch.load(path, weights_only=True)
    for _ in range(2):  # The second process finds the aligned weights.
        loaded = machine.load(tiny)
        assert loaded.not_mapped == ""
        assert not loaded.model.training
        for name, tensor in loaded.model.state_dict().items():
            assert torch.equal(tensor, state[name])
        assert loaded.model(torch.ones(1, 3)).shape == (1, 2)
    assert loaded.config == {
        "repository": "https://github.com/acme/nets",
        "commit": "1" * 40,
        "entry": "tiny",
    }
    assert loaded.checksum == stock(tiny).checksum


def test_each_test_gets_a_pristine_copy(tiny: StoredModel, machine: Machine) -> None:
    originals = machine.originals()
    first = originals.load(tiny, LoadOptions(), device="cpu")
    kept = first.model.first.weight.clone()
    with torch.no_grad():
        first.model.first.weight.zero_()
    originals.settle()
    second = originals.load(tiny, LoadOptions(), device="cpu")
    assert torch.equal(second.model.first.weight, kept)


def test_nothing_is_written_into_the_entry(tiny: StoredModel) -> None:
    before = sorted(tiny.path.rglob("*"))
    stock(tiny)
    assert sorted(tiny.path.rglob("*")) == before


def test_a_file_that_is_not_there_is_named(tiny: StoredModel) -> None:
    shutil.rmtree(tiny.path / "checkpoints")
    with pytest.raises(
        UnavailableError, match=r"wants checkpoints/tiny-.*pth \(https://down"
    ) as caught:
        stock(tiny)
    assert caught.value.reason is Reason.NOT_LOADABLE


def test_numbers_that_no_file_has_are_the_same_in_each_process_and_that_is_said(
    entry: Make, machine: Machine, caplog: pytest.LogCaptureFixture
) -> None:
    stored = entry(tiny_files("unused.pth"), {}, "drawn")
    one, two = machine.load(stored), stock(stored)
    assert one.checksum == two.checksum
    assert "fetched no weights" in caplog.text


def test_a_number_type_is_what_was_asked_for(tiny: StoredModel) -> None:
    assert stock(tiny, dtype="bfloat16").model.first.weight.dtype == torch.bfloat16


@pytest.mark.parametrize("options", [{"task": "fill-mask"}, {"auto_class": "AutoModel"}], ids=str)
def test_a_head_is_the_entry_points_affair(tiny: StoredModel, options: dict[str, str]) -> None:
    with pytest.raises(UsageError, match="does not apply"):
        load(tiny, LoadOptions(**options), device="cpu")  # type: ignore[arg-type]


def test_what_is_no_module_is_not_loaded_and_the_error_says_how_to_build_it(entry: Make) -> None:
    stored = entry(tiny_files("unused.pth"), {}, "several")
    with pytest.raises(UnavailableError, match="gives a tuple, no torch module") as caught:
        stock(stored)
    assert "build=lambda folder: torch.hub.load" in caught.value.remedy


def test_a_network_that_cannot_be_mapped_is_copied_and_that_is_said(
    entry: Make, machine: Machine
) -> None:
    body = "m = torch.nn.Linear(2, 2)\nm.handle = open(__file__)\nm.handle.close()\nreturn m"
    loaded = machine.load(entry(hubconf(body), {}))
    assert loaded.not_mapped
    assert loaded.model(torch.ones(1, 2)).shape == (1, 2)


def test_the_model_works_after_its_modules_are_gone(tiny: StoredModel, machine: Machine) -> None:
    model = machine.load(tiny).model
    assert type(model).__module__ == "nets.tiny"
    model.train()
    model(torch.ones(4, 3)).sum().backward()
    assert model.first.weight.grad is not None


def test_a_deleted_function_is_an_unknown_model(tiny: StoredModel) -> None:
    stored = replace(tiny, architecture="tini")
    with pytest.raises(UnavailableError, match="Did you mean tiny") as caught:
        stock(stored)
    assert caught.value.reason is Reason.UNKNOWN_MODEL
