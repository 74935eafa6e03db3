"""torchvision architectures with a user's own weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from pytest_potmodels.artifacts import LoadedModel, LoadOptions, StoredModel
from pytest_potmodels.errors import UnavailableError
from pytest_potmodels.loading import load


@pytest.fixture
def own(store: Any, tmp_path: Path) -> Any:
    """Store an object as the only weights file of an architecture."""

    def make(content: Any, architecture: str, suffix: str = ".pth") -> StoredModel:
        file = tmp_path / f"own{suffix}"
        if suffix == ".safetensors":
            save_file(content, file)
        else:
            torch.save(content, file)
        stored: StoredModel = store(
            tmp_path, kind="vision", format="torchvision", architecture=architecture
        )
        return stored

    return make


def _load(stored: StoredModel) -> LoadedModel:
    return load(stored, LoadOptions(), device="cpu")


def _same(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("architecture", ["resnet18", "mobilenet_v2", "squeezenet1_1"])
def test_the_number_of_classes_is_read_off_the_file(
    own: Any, models: Any, architecture: str, suffix: str
) -> None:
    mine = models.get_model(architecture, num_classes=7).eval()
    loaded = _load(own(mine.state_dict(), architecture, suffix))
    images = torch.rand(2, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(loaded(images), mine(images))
    assert loaded(images).shape == (2, 7)
    assert (loaded.config["num_classes"], loaded.config["weights"]) == (7, None)


def test_transforms_and_categories_come_only_where_the_classes_are_torchvisions(
    own: Any, models: Any
) -> None:
    fewer = _load(own(models.mnasnet0_5(num_classes=7).state_dict(), "mnasnet0_5"))
    assert (fewer.transforms, fewer.categories) == (None, ())
    same = _load(own(models.mnasnet0_5().state_dict(), "mnasnet0_5"))
    assert same.transforms is not None
    assert len(same.categories) == 1000


@pytest.mark.parametrize("auxiliary", [True, False])
def test_auxiliary_heads_are_there_when_the_file_has_them(
    own: Any, models: Any, *, auxiliary: bool
) -> None:
    mine = models.googlenet(num_classes=4, aux_logits=auxiliary, init_weights=False)
    loaded = _load(own(mine.state_dict(), "googlenet"))
    assert _same(loaded.model.state_dict(), mine.state_dict())


@pytest.mark.parametrize("key", ["model", "state_dict"])
def test_a_training_checkpoint_gives_its_state_dict(own: Any, models: Any, key: str) -> None:
    mine = models.mnasnet0_5(num_classes=3)
    checkpoint = {"epoch": 3, key: mine.state_dict(), "optimizer": {"lr": 0.1}}
    loaded = _load(own(checkpoint, "mnasnet0_5"))
    assert _same(loaded.model.state_dict(), mine.state_dict())


def test_names_from_distributed_training_lose_their_prefix(own: Any, models: Any) -> None:
    mine = models.resnet18(num_classes=3)
    parallel = torch.nn.ModuleDict({"module": mine})
    loaded = _load(own(parallel.state_dict(), "resnet18"))
    assert _same(loaded.model.state_dict(), mine.state_dict())


def test_weights_of_another_architecture_are_refused_by_name(own: Any, models: Any) -> None:
    with pytest.raises(UnavailableError, match=r"expected the tensor 'fc.bias' of resnet18"):
        _load(own(models.mobilenet_v2().state_dict(), "resnet18"))
    with pytest.raises(UnavailableError, match="not those of resnet18: Unexpected key"):
        _load(own(models.resnet34().state_dict(), "resnet18"))


def test_an_architecture_that_torchvision_does_not_have_is_said(own: Any) -> None:
    with pytest.raises(UnavailableError, match="no architecture 'resnet17'"):
        _load(own({"weight": torch.zeros(1)}, "resnet17"))
